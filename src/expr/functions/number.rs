//! Functions of numbers.

use super::{Fault, Outcome};
use crate::{Number, Value};

/// The signature has seen to it that this is a number.
fn number(value: &Value) -> Result<&Number, Fault> {
    value
        .as_number()
        .ok_or_else(|| "a number is required".into())
}

/// A whole number that fits, or what to say.
pub(super) fn whole(args: &[Value], index: usize) -> Result<i64, Fault> {
    args[index]
        .as_i64()
        .ok_or_else(|| Fault::at(index, "a whole number is required"))
}

pub(super) fn abs(args: &[Value]) -> Outcome {
    let n = number(&args[0])?;
    Ok(Value::number(if n.signum() < 0 {
        n.neg()?
    } else {
        n.clone()
    }))
}

pub(super) fn ceil(args: &[Value]) -> Outcome {
    Ok(Value::number(number(&args[0])?.ceil()?))
}

pub(super) fn floor(args: &[Value]) -> Outcome {
    Ok(Value::number(number(&args[0])?.floor()?))
}

pub(super) fn log(args: &[Value]) -> Outcome {
    let (n, base) = (number(&args[0])?.to_f64(), number(&args[1])?.to_f64());
    real(n.ln() / base.ln())
}

pub(super) fn pow(args: &[Value]) -> Outcome {
    real(number(&args[0])?.to_f64().powf(number(&args[1])?.to_f64()))
}

fn real(result: f64) -> Outcome {
    Ok(Value::number(
        Number::from_f64(result).ok_or("the result is not a finite number")?,
    ))
}

pub(super) fn max(args: &[Value]) -> Outcome {
    extreme(args.iter().max())
}

pub(super) fn min(args: &[Value]) -> Outcome {
    extreme(args.iter().min())
}

fn extreme(found: Option<&Value>) -> Outcome {
    found
        .cloned()
        .ok_or_else(|| "at least one number is required".into())
}

pub(super) fn signum(args: &[Value]) -> Outcome {
    Ok(Value::number(number(&args[0])?.signum()))
}

pub(super) fn parseint(args: &[Value]) -> Outcome {
    let text = args[0].as_str().unwrap_or_default();
    let base = u32::try_from(whole(args, 1)?).unwrap_or(0);
    if !(2..=62).contains(&base) {
        return Err(Fault::at(1, "the base must be from 2 to 62"));
    }
    let fault = || Fault::at(0, format!("{text:?} is not a whole number in base {base}"));
    let parsed = if base <= 36 {
        small_base(text, base)
    } else {
        large_base(text, base)
    };
    parsed.map(Value::number).ok_or_else(fault)
}

fn small_base(text: &str, base: u32) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.chars().all(|c| c.is_digit(base));
    if plain {
        Number::parse_radix(text, base)
    } else {
        None
    }
}

/// Above 36 the capital letters are digits of their own, after the small ones.
fn large_base(text: &str, base: u32) -> Option<Number> {
    let (negative, digits) = text
        .strip_prefix('-')
        .map_or((false, text), |digits| (true, digits));
    if digits.is_empty() {
        return None;
    }
    let mut sum = Number::from(0);
    for c in digits.chars() {
        let digit = match c {
            'A'..='Z' => u32::from(c) - u32::from('A') + 36,
            _ => c.to_digit(36)?,
        };
        if digit >= base {
            return None;
        }
        sum = sum
            .mul(&Number::from(base))
            .ok()?
            .add(&Number::from(digit))
            .ok()?;
    }
    if negative { sum.neg().ok() } else { Some(sum) }
}

pub(super) fn sum(args: &[Value]) -> Outcome {
    let items = args[0].as_list().unwrap_or_default();
    if items.is_empty() {
        return Err(Fault::at(0, "there is nothing to add up"));
    }
    let mut sum = Number::from(0);
    for item in items {
        sum = sum.add(
            item.as_number()
                .ok_or_else(|| Fault::at(0, "a null cannot be added"))?,
        )?;
    }
    Ok(Value::number(sum))
}

/// As many numbers as `range` will give.
const MAX_RANGE: usize = 1024;

pub(super) fn range(args: &[Value]) -> Outcome {
    let zero = Number::from(0);
    let numbers = args.iter().map(number).collect::<Result<Vec<_>, _>>()?;
    let (start, end) = match numbers[..] {
        [end] => (&zero, end),
        _ => (numbers[0], numbers[1]),
    };
    let step = match numbers.get(2) {
        Some(step) => (*step).clone(),
        None => Number::from(if start <= end { 1 } else { -1 }),
    };
    match step.signum() {
        0 => return Err(Fault::at(2, "the step must not be zero")),
        1 if end < start => {
            return Err(Fault::at(
                2,
                "the step must be negative, because the end is below the start",
            ));
        }
        -1 if end > start => {
            return Err(Fault::at(
                2,
                "the step must be positive, because the end is above the start",
            ));
        }
        _ => {}
    }
    let (mut items, mut next) = (Vec::new(), start.clone());
    while if step.signum() > 0 {
        next < *end
    } else {
        next > *end
    } {
        if items.len() >= MAX_RANGE {
            return Err(
                format!("more than {MAX_RANGE} numbers; use fewer, or a larger step").into(),
            );
        }
        items.push(Value::number(next.clone()));
        next = next.add(&step)?;
    }
    Ok(Value::list(crate::Type::Number, items))
}
