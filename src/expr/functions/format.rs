//! `format` and `formatlist`: text with verbs such as `%-5s` and `%[2]05.1f`.

use super::{Fault, Outcome};
use crate::{Kind, Number, Type, Value, convert, json};
use std::iter::Peekable;
use std::str::Chars;

/// Wider than this no field needs to be.
const MAX_WIDTH: usize = 10_000;

/// A verb with what stands between the `%` and its letter.
#[derive(Default)]
struct Verb {
    letter: char,
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
    /// Which argument, from 1, if it says so.
    argument: Option<usize>,
}

pub(super) fn format(args: &[Value]) -> Outcome {
    let text = args[0].as_str().unwrap_or_default();
    formatted(text, &args[1..]).map(Value::from)
}

pub(super) fn formatlist(args: &[Value]) -> Outcome {
    let text = args[0].as_str().unwrap_or_default();
    let lists: Vec<(usize, &[Value])> = args
        .iter()
        .enumerate()
        .skip(1)
        .filter_map(|(i, v)| Some((i, v.as_list()?)))
        .collect();
    let rows = lists.first().map_or(1, |(_, list)| list.len());
    if let Some((i, list)) = lists.iter().find(|(_, list)| list.len() != rows) {
        return Err(Fault::at(
            *i,
            format!(
                "this list is of length {}, the first one of length {rows}",
                list.len()
            ),
        ));
    }
    let row = |n: usize| {
        let args: Vec<Value> = args[1..]
            .iter()
            .map(|v| v.as_list().map_or(v, |list| &list[n]).clone())
            .collect();
        formatted(text, &args).map(Value::from)
    };
    Ok(Value::list(
        Type::String,
        (0..rows).map(row).collect::<Result<Vec<_>, _>>()?,
    ))
}

fn formatted(text: &str, args: &[Value]) -> Result<String, Fault> {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    let (mut next, mut used) = (0, 0);
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let verb = Verb::parse(&mut chars)?;
        if verb.letter == '%' {
            out.push('%');
            continue;
        }
        next = verb.argument.unwrap_or(next + 1);
        used = used.max(next);
        let index = next.checked_sub(1).ok_or("arguments are counted from 1")?;
        let value = args.get(index).ok_or_else(|| {
            Fault::from(format!(
                "%{} needs argument number {next}, but there are only {}",
                verb.letter,
                args.len()
            ))
        })?;
        out.push_str(
            &verb
                .show(value)
                .map_err(|message| Fault::at(next, message))?,
        );
    }
    if used < args.len() {
        return Err(Fault::at(
            used + 1,
            "the format uses fewer arguments than there are",
        ));
    }
    Ok(out)
}

fn digits(chars: &mut Peekable<Chars<'_>>) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        number = Some(
            number
                .unwrap_or(0usize)
                .saturating_mul(10)
                .saturating_add(digit as usize),
        );
        chars.next();
    }
    number
}

impl Verb {
    fn parse(chars: &mut Peekable<Chars<'_>>) -> Result<Self, Fault> {
        let mut verb = Self::default();
        verb.flags(chars);
        verb.place(chars)?;
        verb.flags(chars);
        verb.width = digits(chars).unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(chars).unwrap_or(0));
        }
        verb.place(chars)?;
        if verb.width.max(verb.precision.unwrap_or(0)) > MAX_WIDTH {
            return Err(Fault::at(
                0,
                format!("no field can be wider than {MAX_WIDTH}"),
            ));
        }
        verb.letter = chars
            .next()
            .ok_or_else(|| Fault::at(0, "it ends within a verb; a percent sign is %%"))?;
        if !"%vtbdoxXeEfFgGsq".contains(verb.letter) {
            return Err(Fault::at(
                0,
                format!("there is no verb %{}; a percent sign is %%", verb.letter),
            ));
        }
        Ok(verb)
    }

    fn flags(&mut self, chars: &mut Peekable<Chars<'_>>) {
        while let Some(c) = chars.next_if(|c| "+- 0#".contains(*c)) {
            match c {
                '+' => self.plus = true,
                '-' => self.minus = true,
                ' ' => self.space = true,
                '0' => self.zero = true,
                _ => self.sharp = true,
            }
        }
    }

    fn place(&mut self, chars: &mut Peekable<Chars<'_>>) -> Result<(), Fault> {
        if chars.next_if_eq(&'[').is_some() {
            self.argument = digits(chars);
            if self.argument.is_none() || chars.next() != Some(']') {
                return Err(Fault::at(
                    0,
                    "an argument's number is written such as %[1]s",
                ));
            }
        }
        Ok(())
    }

    fn show(&self, value: &Value) -> Result<String, String> {
        match self.letter {
            'v' => self.any(value),
            't' => Ok(self
                .typed(value, &Type::Bool)?
                .as_bool()
                .unwrap_or_default()
                .to_string()),
            's' | 'q' => {
                let value = self.typed(value, &Type::String)?;
                let text = value.as_str().unwrap_or_default();
                Ok(self.text(text, self.letter == 'q'))
            }
            _ => match self.typed(value, &Type::Number)?.as_number() {
                Some(number) => self.number(number),
                None => Ok(String::new()),
            },
        }
    }

    fn typed(&self, value: &Value, ty: &Type) -> Result<Value, String> {
        if value.is_null() {
            return Err(format!("null cannot be shown by %{}", self.letter));
        }
        convert(value, ty).map_err(|e| e.to_string())
    }

    fn any(&self, value: &Value) -> Result<String, String> {
        match value.kind() {
            Kind::String(text) if !self.sharp => Ok(self.text(text, false)),
            Kind::Number(number) if !self.sharp => Ok(self.signed(shortest(number, 'g'))),
            _ => Ok(self.pad(json::to_text(value)?, false)),
        }
    }

    fn text(&self, text: &str, quoted: bool) -> String {
        let cut: String = text
            .chars()
            .take(self.precision.unwrap_or(usize::MAX))
            .collect();
        self.pad(if quoted { format!("{cut:?}") } else { cut }, self.zero)
    }

    fn number(&self, number: &Number) -> Result<String, String> {
        let radix = match self.letter {
            'b' => 2,
            'o' => 8,
            'd' => 10,
            'x' | 'X' => 16,
            'e' | 'E' | 'f' | 'F' if self.precision.is_some() => {
                return Ok(self.real(number, self.precision));
            }
            'e' | 'E' | 'f' | 'F' => return Ok(self.real(number, Some(6))),
            _ => return Ok(self.real(number, self.precision)),
        };
        let digits = number.to_radix(radix).ok_or("a whole number is required")?;
        Ok(self.signed(if self.letter == 'X' {
            digits.to_uppercase()
        } else {
            digits
        }))
    }

    fn real(&self, number: &Number, precision: Option<usize>) -> String {
        let text = match (self.letter.to_ascii_lowercase(), precision) {
            ('f', Some(precision)) => number.to_fixed(precision),
            (letter, None) => shortest(number, letter),
            ('e', Some(precision)) => scientific(&format!("{:.precision$e}", number.to_f64())),
            (_, Some(precision)) => general(number, precision),
        };
        self.signed(if self.letter.is_uppercase() {
            text.to_uppercase()
        } else {
            text
        })
    }

    fn signed(&self, text: String) -> String {
        let sign = match text.starts_with('-') {
            false if self.plus => "+",
            false if self.space => " ",
            _ => "",
        };
        self.pad(format!("{sign}{text}"), self.zero && !self.minus)
    }

    /// Brings the text to the width; zeros go between a sign and the digits.
    fn pad(&self, text: String, zeros: bool) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.minus {
            return text + &" ".repeat(missing);
        }
        if !zeros {
            return " ".repeat(missing) + &text;
        }
        let signed = text.starts_with(['-', '+', ' ']);
        let (sign, digits) = text.split_at(usize::from(signed));
        format!("{sign}{}{digits}", "0".repeat(missing))
    }
}

/// As few digits as name the number, with an exponent if it is very large or very small.
fn shortest(number: &Number, letter: char) -> String {
    let (digits, point) = number.digits();
    if letter == 'g' && (-3..=6).contains(&point) || number.signum() == 0 {
        return number.to_string();
    }
    let sign = if number.signum() < 0 { "-" } else { "" };
    let fraction = if digits.len() > 1 {
        format!(".{}", &digits[1..])
    } else {
        String::new()
    };
    scientific(&format!("{sign}{}{fraction}e{}", &digits[..1], point - 1))
}

fn general(number: &Number, precision: usize) -> String {
    let precision = precision.max(1);
    let rounded = scientific(&format!("{:.1$e}", number.to_f64(), precision - 1));
    let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let exponent: isize = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    match usize::try_from(exponent) {
        Ok(exponent) if exponent < precision => trim(&number.to_fixed(precision - 1 - exponent)),
        Err(_) if exponent >= -4 => trim(&number.to_fixed(precision - 1 + exponent.unsigned_abs())),
        _ => format!("{}{}", trim(mantissa), &rounded[mantissa.len()..]),
    }
}

/// Rust's `1e-5` as `1e-05`.
fn scientific(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text.to_owned();
    };
    let (sign, digits) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}
