//! Functions of sets.

use super::{Fault, Outcome};
use crate::unify::unify;
use crate::{Kind, Type, Value, convert};

/// As many combinations as `setproduct` will give.
const MAX_PRODUCT: usize = 100_000;

/// All arguments as sets of one type.
fn alike(args: &[Value]) -> Result<(Type, Vec<Value>), Fault> {
    let types: Vec<Type> = args.iter().map(Value::type_of).collect();
    let set = unify(&types).ok_or("all sets must be of one type")?;
    let sets = args
        .iter()
        .map(|arg| convert(arg, &set))
        .collect::<Result<Vec<_>, _>>();
    let element = if let Type::Set(element) = &set {
        (**element).clone()
    } else {
        Type::Any
    };
    Ok((element, sets.map_err(|e| e.to_string())?))
}

fn elements(set: &Value) -> &[Value] {
    set.as_list().unwrap_or_default()
}

pub(super) fn setunion(args: &[Value]) -> Outcome {
    let (element, sets) = alike(args)?;
    let sensitive = sets.iter().any(Value::is_sensitive);
    Ok(Value::set(element, sets.iter().flat_map(elements).cloned()).with_sensitive(sensitive))
}

pub(super) fn setintersection(args: &[Value]) -> Outcome {
    filtered(args, |element, others| {
        others.iter().all(|set| elements(set).contains(element))
    })
}

pub(super) fn setsubtract(args: &[Value]) -> Outcome {
    filtered(args, |element, others| {
        !others.iter().any(|set| elements(set).contains(element))
    })
}

fn filtered(args: &[Value], keep: impl Fn(&Value, &[Value]) -> bool) -> Outcome {
    let (element, sets) = alike(args)?;
    let Some((first, others)) = sets.split_first() else {
        return Err("at least one set is required".into());
    };
    Ok(Value::set(
        element,
        elements(first).iter().filter(|e| keep(e, others)).cloned(),
    ))
}

pub(super) fn setproduct(args: &[Value]) -> Outcome {
    if args.len() < 2 {
        return Err("at least two sets are required".into());
    }
    let mut factors = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        let ty = if matches!(arg.kind(), Kind::Set(..)) {
            Type::set(Type::Any)
        } else {
            Type::list(Type::Any)
        };
        factors.push(convert(arg, &ty).map_err(|e| Fault::at(i, e.to_string()))?);
    }
    let sizes = factors.iter().map(|f| elements(f).len());
    let total = sizes.fold(1, |total: usize, size| total.saturating_mul(size));
    if total > MAX_PRODUCT {
        return Err(format!("{total} combinations are too many; {MAX_PRODUCT} is the most").into());
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for factor in &factors {
        let extended = |row: &Vec<Value>| {
            elements(factor)
                .iter()
                .map(|e| [row.as_slice(), std::slice::from_ref(e)].concat())
                .collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(extended).collect();
    }
    let element = Type::Tuple(factors.iter().map(element_type).collect());
    let rows = rows.into_iter().map(Value::tuple);
    let any_set = factors.iter().any(|f| matches!(f.kind(), Kind::Set(..)));
    Ok(if any_set {
        Value::set(element, rows)
    } else {
        Value::list(element, rows)
    })
}

fn element_type(collection: &Value) -> Type {
    match collection.kind() {
        Kind::List(element, _) | Kind::Set(element, _) => element.clone(),
        _ => Type::Any,
    }
}
