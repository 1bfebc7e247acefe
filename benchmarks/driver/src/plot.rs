//! Plots, as SVG of the simplest kind.

use std::fmt::Write;

/// A bar with its name; ours stand out.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) is_ours: bool,
}

/// Horizontal bars, from zero.
pub(crate) fn bars(title: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let height = 56 + 24 * bars.len();
    let mut svg = open(title, height);
    for (row, bar) in bars.iter().enumerate() {
        let y = 48 + 24 * row;
        let width = (bar.value / most * 360.0).max(1.0);
        let color = if bar.is_ours { OURS } else { OTHERS };
        let text = y + 13;
        let _ = writeln!(
            svg,
            "<text x=\"232\" y=\"{text}\" text-anchor=\"end\">{}</text>\
             <rect x=\"240\" y=\"{y}\" width=\"{width:.1}\" height=\"18\" fill=\"{color}\"/>\
             <text x=\"{:.1}\" y=\"{text}\">{}</text>",
            escaped(&bar.name),
            246.0 + width,
            crate::page::number(bar.value),
        );
    }
    svg + "</svg>\n"
}

/// A line with its name.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Lines over logarithmic axes, the numbers at the decades.
pub(crate) fn lines(title: &str, across: &str, up: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| &line.points).filter(|(x, y)| *x > 0.0 && *y > 0.0);
    let (left, right) = bounds(all().map(|point| point.0));
    let (low, high) = bounds(all().map(|point| point.1));
    let x = |value: f64| 80.0 + (value.log10() - left) / (right - left) * 460.0;
    let y = |value: f64| 340.0 - (value.log10() - low) / (high - low) * 280.0;
    let mut svg = open(title, 400);
    for (at, label) in decades(left, right) {
        let x = x(at);
        let _ = write!(svg, "<line x1=\"{x:.1}\" y1=\"60\" x2=\"{x:.1}\" y2=\"340\" stroke=\"#e4e8ee\"/>");
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"358\" text-anchor=\"middle\">{label}</text>");
    }
    for (at, label) in decades(low, high) {
        let y = y(at);
        let _ = write!(svg, "<line x1=\"80\" y1=\"{y:.1}\" x2=\"540\" y2=\"{y:.1}\" stroke=\"#e4e8ee\"/>");
        let _ = writeln!(svg, "<text x=\"72\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", y + 4.0);
    }
    let _ = writeln!(svg, "<text x=\"310\" y=\"384\" text-anchor=\"middle\">{}</text>", escaped(across));
    let _ = writeln!(svg, "<text x=\"16\" y=\"48\">{}</text>", escaped(up));
    for (line, color) in lines.iter().zip(COLORS.iter().cycle()) {
        let points: Vec<_> = line.points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).collect();
        let path: Vec<String> = points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
        let path = path.join(" ");
        let _ = write!(svg, "<polyline points=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
        if let Some(last) = points.last() {
            let (x, y, name) = (x(last.0) + 6.0, y(last.1) + 4.0, escaped(&line.name));
            let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{color}\">{name}</text>");
        }
    }
    svg + "</svg>\n"
}

/// Whole decades around the values, as logarithms.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let logs: Vec<f64> = values.map(f64::log10).collect();
    let least = logs.iter().copied().fold(f64::MAX, f64::min).floor();
    let most = logs.iter().copied().fold(f64::MIN, f64::max).ceil();
    if least > most { (0.0, 1.0) } else { (least, most.max(least + 1.0)) }
}

fn decades(from: f64, to: f64) -> impl Iterator<Item = (f64, String)> {
    #[expect(clippy::cast_possible_truncation, reason = "few decades")]
    let exponents = from as i32..=to as i32;
    exponents.map(|exponent| {
        let value = 10_f64.powi(exponent);
        (value, if exponent < 0 { value.to_string() } else { crate::page::number(value) })
    })
}

fn open(title: &str, height: usize) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 680 {height}\" width=\"680\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#1c2733\" role=\"img\" aria-label=\"{title}\">\n\
         <rect width=\"680\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

const OURS: &str = "#1f6feb";
const OTHERS: &str = "#a9b6c6";
const COLORS: [&str; 4] = ["#1f6feb", "#c2410c", "#15803d", "#7e22ce"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_names_are_escaped() {
        let bar = |name: &str, value, is_ours| Bar { name: name.to_owned(), value, is_ours };
        let svg = bars("a & b", &[bar("<ours>", 50.0, true), bar("theirs", 100.0, false)]);
        assert!(svg.contains("width=\"180.0\"") && svg.contains("width=\"360.0\""));
        assert!(svg.contains("a &amp; b") && svg.contains("&lt;ours>"));
    }

    #[test]
    fn lines_leave_out_what_has_no_logarithm() {
        let line = Line { name: "line".to_owned(), points: vec![(1.0, 0.0), (10.0, 1.0), (100.0, 10.0)] };
        assert_eq!(lines("t", "x", "y", &[line]).matches("polyline points=\"80.0,340.0 540.0,60.0\"").count(), 1);
    }
}
