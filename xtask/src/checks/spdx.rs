//! Licence expressions, as the SPDX specification (annex D) has them: names, `AND`, `OR`, `WITH` and parentheses. The slash that
//! old packages write for `OR` is read, too.

/// Whether the expression can be satisfied with licences that are allowed. One that cannot be read allows nothing.
pub(crate) fn allows(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    matches!(any(&words, allowed), Some((verdict, [])) if verdict)
}

/// What was read, and the words that are left.
type Read<'a, 'b> = Option<(bool, &'a [&'b str])>;

/// Terms with `OR` between them, which binds weakest.
fn any<'a, 'b>(words: &'a [&'b str], allowed: &dyn Fn(&str) -> bool) -> Read<'a, 'b> {
    let (mut verdict, mut rest) = all(words, allowed)?;
    while let ["OR", more @ ..] = rest {
        let (other, left) = all(more, allowed)?;
        (verdict, rest) = (verdict || other, left);
    }
    Some((verdict, rest))
}

/// Terms with `AND` between them.
fn all<'a, 'b>(words: &'a [&'b str], allowed: &dyn Fn(&str) -> bool) -> Read<'a, 'b> {
    let (mut verdict, mut rest) = one(words, allowed)?;
    while let ["AND", more @ ..] = rest {
        let (other, left) = one(more, allowed)?;
        (verdict, rest) = (verdict && other, left);
    }
    Some((verdict, rest))
}

/// A name, perhaps with an exception, or an expression in parentheses.
fn one<'a, 'b>(words: &'a [&'b str], allowed: &dyn Fn(&str) -> bool) -> Read<'a, 'b> {
    match words {
        ["(", inner @ ..] => match any(inner, allowed)? {
            (verdict, [")", rest @ ..]) => Some((verdict, rest)),
            _ => None,
        },
        ["AND" | "OR" | "WITH" | ")", ..] | [] => None,
        // An exception only ever permits more.
        [name, "WITH", exception, rest @ ..] => {
            Some((allowed(name) || allowed(&format!("{name} WITH {exception}")), rest))
        }
        [name, rest @ ..] => Some((allowed(name), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_mit_and_zlib(expression: &str) -> bool {
        allows(expression, &|name| ["MIT", "Zlib"].contains(&name))
    }

    #[test]
    fn expressions_that_can_be_satisfied() {
        for expression in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0 OR MIT",
            "GPL-3.0/MIT",
            "MIT AND Zlib",
            "(MIT OR GPL-3.0) AND (Zlib OR GPL-3.0)",
            "GPL-3.0 AND MIT OR Zlib",
            "MIT WITH some-exception AND Zlib",
        ] {
            assert!(with_mit_and_zlib(expression), "{expression}");
        }
    }

    #[test]
    fn expressions_that_cannot() {
        for expression in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Zlib) AND GPL-3.0", "MIT AND (GPL-3.0 OR ISC)"] {
            assert!(!with_mit_and_zlib(expression), "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_read_allows_nothing() {
        for expression in ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT Zlib", "MIT AND AND Zlib", "WITH"] {
            assert!(!with_mit_and_zlib(expression), "{expression}");
        }
    }
}
