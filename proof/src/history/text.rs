//! How processes tell of their calls: one line for each beginning and each end.

use std::fmt;
use std::str::FromStr;

use super::{Answer, Call, Number, Operation, Seen};

/// What a process tells while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// This begins now. Told before the call is made: a process that is killed in the middle of it has told.
    Began(Operation),
    /// It was answered.
    Ended {
        /// Which.
        number: Number,
        /// When.
        until: u64,
        /// What.
        answer: Answer,
    },
    /// It surely had no effect.
    Void(Number),
}

/// A text that is not of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoLine;

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Began(Operation { number, session, call, from, .. }) => {
                write!(f, "began {number} {session} {from} {call}")
            }
            Self::Ended { number, until, answer } => write!(f, "ended {number} {until} {answer}"),
            Self::Void(number) => write!(f, "void {number}"),
        }
    }
}

impl FromStr for Line {
    type Err = NoLine;

    fn from_str(text: &str) -> Result<Self, NoLine> {
        let words: Vec<_> = text.split(' ').collect();
        Ok(match words[..] {
            ["began", number, session, from, call] => Self::Began(Operation {
                number: number.parse()?,
                session: digits(session)?,
                call: call.parse()?,
                from: digits(from)?,
                end: None,
                repeat: false,
            }),
            ["ended", number, until, answer] => {
                Self::Ended { number: number.parse()?, until: digits(until)?, answer: answer.parse()? }
            }
            ["void", number] => Self::Void(number.parse()?),
            _ => return Err(NoLine),
        })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.process, self.task, self.call)
    }
}

impl FromStr for Number {
    type Err = NoLine;

    fn from_str(text: &str) -> Result<Self, NoLine> {
        let parts: Vec<_> = text.split('.').collect();
        let [process, task, call] = parts[..] else { return Err(NoLine) };
        Ok(Self { process: digits(process)?, task: digits(task)?, call: digits(call)? })
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.version, self.mark)
    }
}

impl FromStr for Seen {
    type Err = NoLine;

    fn from_str(text: &str) -> Result<Self, NoLine> {
        let (version, mark) = text.split_once('/').ok_or(NoLine)?;
        Ok(Self { version: digits(version)?, mark: digits(mark)? })
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load => f.write_str("load"),
            Self::Create(seen) => write!(f, "create:{seen}"),
            Self::Update { expected, version, mark: Some(mark) } => write!(f, "update:{expected}:{version}/{mark}"),
            Self::Update { expected, version, mark: None } => write!(f, "update:{expected}:{version}"),
            Self::Touch { expected, mark } => write!(f, "touch:{expected}:{mark}"),
            Self::Delete => f.write_str("delete"),
        }
    }
}

impl FromStr for Call {
    type Err = NoLine;

    fn from_str(text: &str) -> Result<Self, NoLine> {
        let parts: Vec<_> = text.split(':').collect();
        Ok(match parts[..] {
            ["load"] => Self::Load,
            ["create", seen] => Self::Create(seen.parse()?),
            ["update", expected, new] => {
                let (version, mark) = new.split_once('/').map_or((new, None), |(version, mark)| (version, Some(mark)));
                let mark = mark.map(digits).transpose()?;
                Self::Update { expected: digits(expected)?, version: digits(version)?, mark }
            }
            ["touch", expected, mark] => Self::Touch { expected: digits(expected)?, mark: digits(mark)? },
            ["delete"] => Self::Delete,
            _ => return Err(NoLine),
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Absent => f.write_str("absent"),
            Self::There(seen) => write!(f, "there:{seen}"),
            Self::Refused => f.write_str("refused"),
        }
    }
}

impl FromStr for Answer {
    type Err = NoLine;

    fn from_str(text: &str) -> Result<Self, NoLine> {
        Ok(match text.split_once(':') {
            None if text == "done" => Self::Done,
            None if text == "absent" => Self::Absent,
            None if text == "refused" => Self::Refused,
            Some(("there", seen)) => Self::There(seen.parse()?),
            _ => return Err(NoLine),
        })
    }
}

fn digits<N: FromStr>(text: &str) -> Result<N, NoLine> {
    text.parse().map_err(|_| NoLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_as_it_was_written() {
        let number = Number { process: 1, task: 2, call: 3 };
        let seen = Seen { version: 4, mark: 5 };
        let calls = [
            Call::Load,
            Call::Create(seen),
            Call::Update { expected: 4, version: 6, mark: Some(7) },
            Call::Update { expected: 4, version: 6, mark: None },
            Call::Touch { expected: 4, mark: 8 },
            Call::Delete,
        ];
        let began = |call| Line::Began(Operation { number, session: 9, call, from: 10, end: None, repeat: false });
        let ended = |answer| Line::Ended { number, until: u64::MAX, answer };
        let answers = [Answer::Done, Answer::Absent, Answer::There(seen), Answer::Refused];
        for line in calls.map(began).into_iter().chain(answers.map(ended)).chain([Line::Void(number)]) {
            assert_eq!(line.to_string().parse(), Ok(line), "{line}");
        }
        for text in ["", "began", "began 1.2 9 10 load", "ended 1.2.3 10 there:4", "void", "void 1.2.3 "] {
            assert_eq!(text.parse::<Line>(), Err(NoLine), "{text}");
        }
    }
}
