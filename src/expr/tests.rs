//! What the golden cases cannot say: scopes, references, files, types, limits, and laws.

use crate::*;
use hcl_edit::expr::Expression;
use infra_diag::{Diagnostics, SourceId, Span};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;

const SOURCE: SourceId = SourceId(0);

fn expr(text: &str) -> Expression {
    text.parse().expect(text)
}

fn ty(text: &str) -> Type {
    Type::parse(&expr(text), SOURCE).expect(text)
}

fn value(text: &str) -> Value {
    constant(&expr(text), SOURCE).expect(text)
}

/// A scope that answers `a.b` with an object, `secret` with a secret, and remembers what was asked.
#[derive(Default)]
struct Asked {
    asked: RefCell<Vec<String>>,
    files: BTreeMap<&'static str, &'static str>,
}

impl Scope for Asked {
    fn lookup(
        &self,
        root: &str,
        _: Span,
        steps: &[Step],
    ) -> Option<Result<(Value, usize), Diagnostics>> {
        let steps: Vec<String> = steps
            .iter()
            .map(|step| match step {
                Step::Attr(name, _) => format!(".{name}"),
                Step::Index(key, _) => format!("[{}]", show::line(key)),
            })
            .collect();
        self.asked
            .borrow_mut()
            .push(format!("{root}{}", steps.concat()));
        match root {
            "a" => Some(Ok((value("{ x = [1, { y = 2 }], z = \"s\" }"), 1))),
            "secret" => Some(Ok((value("{ k = \"hush\" }").with_sensitive(true), 0))),
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["a".into(), "secret".into()]
    }

    fn files(&self) -> &dyn Files {
        self
    }
}

impl Files for Asked {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.files
            .get(path)
            .map(|text| text.as_bytes().to_vec())
            .ok_or_else(|| "there is no such file".into())
    }

    fn exists(&self, path: &str) -> Result<bool, String> {
        Ok(self.files.contains_key(path))
    }

    fn list(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(self.files.keys().map(|path| (*path).to_owned()).collect())
    }
}

fn eval(text: &str) -> Result<Value, Diagnostics> {
    evaluate(&expr(text), SOURCE, &Asked::default())
}

#[test]
fn the_scope_sees_the_steps_up_to_a_splat() {
    let scope = Asked::default();
    let result = evaluate(&expr("a.b.x[0 + 1].y"), SOURCE, &scope).unwrap();
    assert_eq!(result.as_i64(), Some(2));
    let result = evaluate(&expr("a.b.x[*]"), SOURCE, &scope).unwrap();
    assert_eq!(result.as_list().unwrap().len(), 2);
    assert_eq!(*scope.asked.borrow(), ["a.b.x[1].y", "a.b.x"]);
}

#[test]
fn names_of_a_for_hide_the_scope() {
    let scope = Asked::default();
    let result = evaluate(
        &expr("[for a in [1] : [for secret in [a + 1] : secret]]"),
        SOURCE,
        &scope,
    )
    .unwrap();
    assert_eq!(show::line(&result), "[[2]]");
    assert!(scope.asked.borrow().is_empty());
}

#[test]
fn all_errors_are_found() {
    let errors = eval("[nope.x, upper([]), a.b.w, 1 + \"x\" + null]").unwrap_err();
    let found: Vec<_> = errors
        .iter()
        .map(|e| (e.summary.as_str(), e.labels[0].span.range()))
        .collect();
    let expected = [
        ("Unknown name", 1..5),
        ("Invalid argument", 15..17),
        ("Unknown attribute", 24..25),
    ];
    assert_eq!(found[..3], expected);
    assert_eq!(
        found[3..],
        [("Invalid operand", 31..34), ("Invalid operand", 37..41)]
    );
}

#[test]
fn hints_name_the_nearest() {
    let hint = |text| {
        eval(text)
            .unwrap_err()
            .iter()
            .flat_map(|e| e.hints.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert_eq!(hint("secrt.k"), "did you mean secret?");
    assert_eq!(hint("uper(\"a\")"), "did you mean upper?");
    assert_eq!(hint("{ name = 1 }.nmae"), "did you mean name?");
}

#[test]
fn secrets_stay_secret() {
    for text in [
        "secret.k",
        "\"${secret.k}x\"",
        "upper(secret.k)",
        "[for k in [secret.k] : k][0]",
        "true ? secret.k : 1",
    ] {
        assert!(eval(text).unwrap().contains_sensitive(), "{text}");
    }
    for text in [
        "secret.k + 1",
        "{ a = 1 }[secret.k]",
        "[for k, v in secret : v + 1]",
        "[for v in secret : { a = 1 }[v]]",
        "tonumber(secret.k)",
        "secret.nope",
        "[secret.k][9]",
        "{ (secret.k) = 1 }.b",
        "parseint(secret.k, 10)",
        "tolist([secret])[*].other",
        "sum(values(secret))",
        "{ for i in [1, 2] : secret.k => i }",
        "tonumber(values(secret)[0])",
        "try(secret.k.x)",
        "substr(secret.k, \"x\", 1)",
        "jsondecode(secret.k)",
        "templatefile(secret.k, {})",
        "lookup({}, secret.k)",
    ] {
        let told = format!("{:?}", eval(text).unwrap_err());
        assert!(!told.contains("hush"), "{text}: {told}");
    }
}

#[test]
fn references_are_static_and_free() {
    let text = "[for a in b.c[0][\"k\"].*.d : \"${a} ${e[f.g].h} %{ for i, a in j }${i}${a}${k.l}%{ endfor }\"]";
    let found: Vec<String> = references(&expr(text), SOURCE)
        .into_iter()
        .map(|r| format!("{}/{} {}", r.root, r.steps.len(), &text[r.span.range()]))
        .collect();
    assert_eq!(
        found,
        ["b/3 b.c[0][\"k\"", "e/0 e", "f/1 f.g", "j/0 j", "k/1 k.l"]
    );
}

#[test]
fn types_are_read_and_written() {
    let text = "object({ a = optional(list(any), [1]), b = tuple([string, map(set(bool))]), c = optional(number) })";
    assert_eq!(ty(text).to_string(), text.replace("[1]", "tolist([1])"));
    let errors = Type::parse(
        &expr("object({ a = strng, b = list, c = optional(string, []), d = map(1, 2) })"),
        SOURCE,
    );
    assert_eq!(errors.unwrap_err().len(), 4);
}

#[test]
fn conversion_fills_defaults_and_names_the_path() {
    let port = ty(
        "list(object({ name = string, port = optional(number, 80), tags = optional(set(string)) }))",
    );
    let converted = convert(
        &value("[{ name = 1, extra = true }, { name = \"b\", port = null }]"),
        &port,
    )
    .unwrap();
    let expected = "tolist([{ \"name\" = \"1\", \"port\" = 80, \"tags\" = toset(null) /* of string */ }, \
                    { \"name\" = \"b\", \"port\" = 80, \"tags\" = toset(null) /* of string */ }])";
    assert_eq!(show::line(&converted), expected);
    let error = convert(
        &value("[{ name = \"a\" }, { name = \"b\", port = \"x\" }]"),
        &port,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "at [1].port: number required, and \"x\" is not one"
    );
    let error = convert(&value("[{}]"), &port).unwrap_err();
    assert_eq!(error.to_string(), "at [0]: the attribute name is missing");
}

#[test]
fn files() {
    let files = [
        ("t", "%{ for x in xs ~}\n${x}\n%{ endfor ~}\n"),
        ("bad", "a\n${y}"),
        ("again", "${templatefile(\"t\", {})}"),
        ("d/e.txt", ""),
    ];
    let scope = Asked {
        files: files.into(),
        ..Asked::default()
    };
    let run = |text: &str| evaluate(&expr(text), SOURCE, &scope).map(|v| show::line(&v));
    assert_eq!(
        run("templatefile(\"t\", { xs = [1, 2] })").unwrap(),
        "\"1\\n2\\n\""
    );
    assert_eq!(
        run("fileset(\"\", \"{t,**/*.txt}\")").unwrap(),
        "toset([\"d/e.txt\", \"t\"])"
    );
    assert_eq!(run("fileexists(\"nope\")").unwrap(), "false");
    let told = format!("{:?}", run("templatefile(\"bad\", {})").unwrap_err());
    assert!(
        told.contains("bad:2: Unknown name: there is no y here"),
        "{told}"
    );
    assert!(run("templatefile(\"again\", {})").is_err());
    assert!(run("file(\"nope\")").is_err());
}

#[test]
fn depth_is_an_error() {
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    assert!(constant(&expr(&deep), SOURCE).is_ok());
    let mut tree = expr("1");
    for _ in 0..1000 {
        tree = hcl_edit::expr::Parenthesis::new(tree).into();
    }
    assert!(constant(&tree, SOURCE).is_err());
    let mut nested = Value::tuple([]);
    for _ in 0..250 {
        nested = Value::tuple([nested]);
    }
    struct Deep(Value);
    impl Scope for Deep {
        fn lookup(
            &self,
            _: &str,
            _: Span,
            _: &[Step],
        ) -> Option<Result<(Value, usize), Diagnostics>> {
            Some(Ok((self.0.clone(), 0)))
        }
        fn names(&self) -> Vec<String> {
            Vec::new()
        }
    }
    assert!(evaluate(&expr("[x]"), SOURCE, &Deep(nested)).is_err());
}

/// On the small stack of a test's thread, and without optimisation.
#[test]
fn what_the_parser_takes_never_exhausts_the_stack() {
    let wrap = |before: &str, inner: &str, after: &str, n: usize| {
        before.repeat(n) + inner + &after.repeat(n)
    };
    for (before, inner, after) in [
        ("[for x in [1] : ", "1", "]"),
        ("try(can(max(", "1", ")))"),
        ("\"${true ? \"${", "1", "}x\" : 2}y\""),
        ("{ a = ", "1", "}"),
        ("-(!", "true", ")"),
        ("1 + (1 + (", "1", "))"),
        (
            "\"%{ for x in [1] }${x}%{ if true }${",
            "1",
            "}%{ endif }%{ endfor }\"",
        ),
    ] {
        for n in 1..70 {
            if let Ok(parsed) = wrap(before, inner, after, n).parse::<Expression>() {
                let _ = constant(&parsed, SOURCE);
                let _ = references(&parsed, SOURCE);
            }
        }
    }
    let mut tree = expr("1");
    for _ in 0..500 {
        let args = vec![tree].into();
        tree = hcl_edit::expr::FuncCall::new(hcl_edit::Ident::new("max"), args).into();
    }
    assert!(constant(&tree, SOURCE).is_err());
}

#[test]
fn no_function_panics() {
    let pool = [
        "null",
        "true",
        "-1",
        "1e30",
        "0.5",
        "\"\"",
        "\"a{,}/é%\"",
        "[]",
        "[1, \"a\", null]",
        "{ a = [true] }",
        "tolist([[\"x\"]])",
        "toset([1])",
    ];
    let mut calls = vec![String::new()];
    for _ in 0..3 {
        let longer = |args: &String| {
            pool.map(|arg| {
                if args.is_empty() {
                    arg.into()
                } else {
                    format!("{args}, {arg}")
                }
            })
        };
        let more: Vec<String> = calls.iter().flat_map(longer).collect();
        calls.extend(more);
        calls.sort();
        calls.dedup();
    }
    let scope = Asked::default();
    let lists: Vec<Vec<Value>> = calls
        .iter()
        .map(|args| value(&format!("[{args}]")).as_list().unwrap().to_vec())
        .collect();
    for function in functions::FUNCTIONS.iter() {
        for args in &lists {
            let literal = |v: &Value| show::line(v);
            if args.len() < 2 {
                let text = args.iter().map(literal).collect::<Vec<_>>().join(", ");
                let _ = evaluate(&expr(&format!("{}({text})", function.name)), SOURCE, &scope);
            }
            let signature = function.parsed();
            let fits = args.len() >= signature.required()
                && signature.most().is_none_or(|most| args.len() <= most);
            let converted: Option<Vec<Value>> = args
                .iter()
                .enumerate()
                .map(|(i, v)| {
                    let param = signature
                        .param(i)
                        .filter(|p| fits && (p.nullable || !v.is_null()))?;
                    convert(v, &param.ty).ok()
                })
                .collect();
            if let Some(args) = converted.filter(|_| fits) {
                let _ = function.apply(args, &scope);
            }
        }
    }
}

#[test]
fn a_for_over_many_is_linear() {
    let many = Value::object((0..100_000).map(|i| (i.to_string(), Value::number(i))));
    struct Many(Value);
    impl Scope for Many {
        fn lookup(
            &self,
            _: &str,
            _: Span,
            _: &[Step],
        ) -> Option<Result<(Value, usize), Diagnostics>> {
            Some(Ok((self.0.clone(), 0)))
        }
        fn names(&self) -> Vec<String> {
            Vec::new()
        }
    }
    // Were the variable copied for each reference, this would not end.
    let result = evaluate(
        &expr("{ for k, v in many : k => lookup(many, k) + many[k] if v % 2 == 0 }"),
        SOURCE,
        &Many(many),
    )
    .unwrap();
    assert_eq!(result.as_object().unwrap().len(), 50_000);
}

/// Known values without marks, of all kinds.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::null()),
        any::<bool>().prop_map(Value::bool),
        (any::<i64>(), -20i32..20)
            .prop_map(|(m, e)| Value::number(Number::parse(&format!("{m}e{e}")).unwrap())),
        "[ -~äß😀\t\u{7}]{0,6}".prop_map(Value::string),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
            proptest::collection::btree_map("[a-z$%{\" ]{0,4}", inner, 0..4)
                .prop_map(Value::object),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_shown_can_be_read(v in any_value()) {
        prop_assert_eq!(&value(&show::line(&v)), &v);
        prop_assert_eq!(&value(&show::show(&v)), &v);
    }

    #[test]
    fn conversion_twice_is_once(v in any_value(), to in 0usize..7) {
        let to = ty(["string", "list(any)", "set(any)", "map(any)", "list(string)", "map(string)", "object({ a = optional(any, 1) })"][to]);
        if let Ok(once) = convert(&v, &to) {
            prop_assert_eq!(&convert(&once, &to).unwrap(), &once);
        }
    }

    #[test]
    fn json_keeps_values(v in any_value()) {
        let back = json::from_text(&json::to_text(&v).unwrap()).unwrap();
        // What a double cannot hold is rounded once, and then stays.
        let again = json::decode(&json::encode(&back).unwrap());
        prop_assert_eq!(json::decode(&json::encode(&again).unwrap()), again);
    }

    #[test]
    fn unification_is_of_all(a in any_value(), b in any_value()) {
        let ty = |v: &Value| v.type_of();
        if let Some(both) = unify::unify(&[ty(&a), ty(&b)]) {
            prop_assert_eq!(unify::unify(&[ty(&b), ty(&a)]), Some(both.clone()));
            prop_assert!(convert(&a, &both).is_ok() && convert(&b, &both).is_ok());
        }
    }

    #[test]
    fn no_text_panics(text in "[a-c0-9\\[\\]{}().,:?!<>=+*/%&|\" $~-]{0,40}") {
        if let Ok(parsed) = text.parse::<Expression>() {
            let _ = evaluate(&parsed, SOURCE, &Asked::default());
            let _ = references(&parsed, SOURCE);
            let _ = Type::parse(&parsed, SOURCE);
        }
    }
}
