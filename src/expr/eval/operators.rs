//! Operators and the conditional.

use super::{Evaluated, Evaluator};
use crate::unify::unify;
use crate::{Kind, Number, Type, Value, convert};
use hcl_edit::expr::{BinaryOp, BinaryOperator, Conditional, Expression, UnaryOp, UnaryOperator};
use infra_diag::Diagnostic;

const OPERAND: &str = "Invalid operand";
const CONDITION: &str = "Invalid condition";

impl Evaluator<'_> {
    pub(super) fn unary(&mut self, op: &UnaryOp) -> Evaluated {
        let ty = match op.operator.value() {
            UnaryOperator::Neg => Type::Number,
            UnaryOperator::Not => Type::Bool,
        };
        let value = self.operand(&op.expr, &ty)?;
        let result = match value.kind() {
            Kind::Number(n) => self.computed(op, n.neg())?,
            Kind::Bool(b) => Value::bool(!b),
            _ => Value::unknown(ty),
        };
        Some(result.with_sensitive(value.is_sensitive()))
    }

    pub(super) fn binary(&mut self, op: &BinaryOp) -> Evaluated {
        use BinaryOperator as B;
        let operator = *op.operator.value();
        if matches!(operator, B::Eq | B::NotEq) {
            return self.equality(op, operator == B::Eq);
        }
        let logical = matches!(operator, B::And | B::Or);
        let operands = if logical { Type::Bool } else { Type::Number };
        // Both sides are looked at before giving up, to say all that is wrong.
        let (lhs, rhs) = (
            self.operand(&op.lhs_expr, &operands),
            self.operand(&op.rhs_expr, &operands),
        );
        let (lhs, rhs) = (lhs?, rhs?);
        let result = match (lhs.kind(), rhs.kind()) {
            (Kind::Number(a), Kind::Number(b)) => self.arithmetic(op, operator, a, b)?,
            (Kind::Bool(a), Kind::Bool(b)) => Value::bool(if operator == B::And {
                *a && *b
            } else {
                *a || *b
            }),
            _ => Value::unknown(if is_arithmetic(operator) {
                Type::Number
            } else {
                Type::Bool
            }),
        };
        Some(result.with_sensitive(lhs.is_sensitive() || rhs.is_sensitive()))
    }

    fn arithmetic(
        &mut self,
        op: &BinaryOp,
        operator: BinaryOperator,
        a: &Number,
        b: &Number,
    ) -> Evaluated {
        use BinaryOperator as B;
        let result = match operator {
            B::Plus => a.add(b),
            B::Minus => a.sub(b),
            B::Mul => a.mul(b),
            B::Div => a.div(b),
            B::Mod => a.rem(b),
            B::Less => return Some(Value::bool(a < b)),
            B::LessEq => return Some(Value::bool(a <= b)),
            B::Greater => return Some(Value::bool(a > b)),
            _ => return Some(Value::bool(a >= b)),
        };
        self.computed(op, result)
    }

    fn computed(
        &mut self,
        node: &impl hcl_edit::Span,
        result: Result<Number, &'static str>,
    ) -> Evaluated {
        match result {
            Ok(number) => Some(Value::number(number)),
            Err(message) => self.error(node, "invalid arithmetic", message),
        }
    }

    fn equality(&mut self, op: &BinaryOp, wanted: bool) -> Evaluated {
        let (lhs, rhs) = (self.eval(&op.lhs_expr), self.eval(&op.rhs_expr));
        let (lhs, rhs) = (lhs?, rhs?);
        let result = lhs.equals(&rhs).map_or_else(
            || Value::unknown(Type::Bool),
            |equal| Value::bool(equal == wanted),
        );
        Some(result.with_sensitive(lhs.contains_sensitive() || rhs.contains_sensitive()))
    }

    /// An operand, converted; never null.
    fn operand(&mut self, expr: &Expression, ty: &Type) -> Evaluated {
        let value = self.eval(expr)?;
        if value.is_null() {
            return self.error(expr, OPERAND, format!("{ty} required, but this is null"));
        }
        match convert(&value, ty) {
            Ok(value) => Some(value),
            Err(error) => self.error(expr, OPERAND, error.to_string()),
        }
    }

    /// `condition ? a : b`. The branch not taken counts only by its type; what is wrong in it does not matter.
    pub(super) fn conditional(&mut self, node: &Conditional) -> Evaluated {
        let condition = self.condition(&node.cond_expr);
        let (yes, yes_errors) = self.attempt(|e| e.eval(&node.true_expr));
        let (no, no_errors) = self.attempt(|e| e.eval(&node.false_expr));
        let Some(condition) = condition else {
            self.errors.extend(yes_errors.into_iter().chain(no_errors));
            return None;
        };
        let taken = condition.as_bool();
        match taken {
            Some(true) => self.errors.extend(yes_errors),
            Some(false) => self.errors.extend(no_errors),
            None => {}
        }
        let sensitive = [Some(&condition), yes.as_ref(), no.as_ref()]
            .into_iter()
            .flatten()
            .any(Value::is_sensitive);
        let type_of = |branch: &Evaluated| branch.as_ref().map_or(Type::Any, Value::type_of);
        let types = [type_of(&yes), type_of(&no)];
        let Some(ty) = unify(&types) else {
            return self.inconsistent(node, &types);
        };
        let value = match taken {
            Some(true) => yes?,
            Some(false) => no?,
            None if yes.is_none() || no.is_none() => Value::unknown(Type::Any),
            None => Value::unknown(ty.clone()),
        };
        self.branch(node, &value, &ty)
            .map(|value| value.with_sensitive(sensitive))
    }

    fn branch(&mut self, node: &Conditional, value: &Value, ty: &Type) -> Evaluated {
        if matches!(value.kind(), Kind::Unknown(Type::Any)) {
            return Some(value.clone());
        }
        match convert(value, ty) {
            Ok(value) => Some(value),
            Err(error) => self.error(node, "Inconsistent branches", error.to_string()),
        }
    }

    fn inconsistent<T>(&mut self, node: &Conditional, types: &[Type; 2]) -> Option<T> {
        let place = self.span(&node.true_expr);
        let other = self.span(&node.false_expr);
        self.report(
            Diagnostic::error("Inconsistent branches")
                .at(place, format!("this is {}", types[0]))
                .at(other, format!("and this is {}", types[1]))
                .hint("both branches of a conditional must be of one type, or convertible to one"),
        )
    }

    /// A bool that is not null, or not known yet.
    pub(super) fn condition(&mut self, expr: &Expression) -> Evaluated {
        let value = self.eval(expr)?;
        if value.is_null() {
            return self.error(expr, CONDITION, "this is null; it must be true or false");
        }
        match convert(&value, &Type::Bool) {
            Ok(value) => Some(value),
            Err(error) => self.error(expr, CONDITION, error.to_string()),
        }
    }
}

fn is_arithmetic(operator: BinaryOperator) -> bool {
    use BinaryOperator as B;
    matches!(operator, B::Plus | B::Minus | B::Mul | B::Div | B::Mod)
}
