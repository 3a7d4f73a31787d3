//! Sets of ids are read and written as Linux does, and are sets.

use super::*;
use proptest::prelude::*;

fn set(text: &str) -> IdSet {
    text.parse().unwrap()
}

#[test]
fn lists() {
    assert_eq!(set("0-3,8\n"), IdSet::from([0, 1, 2, 3, 8]));
    assert_eq!(set("8,2,0-3").to_string(), "0-3,8");
    assert_eq!(set("0-10:2/4").to_string(), "0-1,4-5,8-9");
    assert_eq!(set(" \n"), IdSet::new());
    assert_eq!(set("0,2").len(), 2);
    assert_eq!(
        (set("64-70").first(), set("3,64-70").last()),
        (Some(64), Some(70))
    );
}

#[test]
fn masks() {
    let mask = |text| IdSet::from_mask(text).unwrap().to_string();
    assert_eq!(mask("00000000,0000000f\n"), "0-3");
    assert_eq!(mask("1,00000000,80000001"), "0,31,64");
    assert_eq!(mask("ffff"), "0-15");
    assert_eq!(mask("0"), "");
    for bad in ["", "0x3", "g", "123456789", "1,,2", "+1"] {
        assert!(IdSet::from_mask(bad).is_err(), "{bad}");
    }
}

#[test]
fn garbage_is_named_and_never_the_empty_set() {
    for bad in [
        "x",
        "0-",
        "-3",
        "3-0",
        "0,",
        ",",
        "0--3",
        "+1",
        "0 1",
        "0, 1",
        "1.5",
        "0x3",
        "(null)",
        "70000",
        "0-4294967295",
        "0-3:2",
        "0-3:0/2",
        "0-3:3/2",
    ] {
        let error = bad.parse::<IdSet>().expect_err(bad).to_string();
        assert!(error.contains(&format!("`{bad}`")), "{error}");
    }
    assert_eq!(
        "0-a".parse::<IdSet>().unwrap_err().to_string(),
        "`0-a` is not a set of ids: `a` is no number; a set looks like `0-3,8`"
    );
}

#[test]
fn too_large_ids_are_not_inserted() {
    let mut ids = IdSet::new();
    assert!(!ids.insert(IdSet::MAX_ID + 1) && ids.is_empty());
    assert!(ids.insert(IdSet::MAX_ID) && !ids.insert(IdSet::MAX_ID));
}

#[test]
fn order_is_that_of_the_lists() {
    assert!(set("0-1") < set("0,2") && set("0,2") < set("1") && set("") < set("0"));
}

#[test]
fn serde_is_the_text() {
    let json = serde_json::to_string(&set("0-3,8")).unwrap();
    assert_eq!(json, "\"0-3,8\"");
    assert_eq!(serde_json::from_str::<IdSet>(&json).unwrap(), set("0-3,8"));
    assert!(serde_json::from_str::<IdSet>("\"0-\"").is_err());
}

type Model = std::collections::BTreeSet<u32>;

fn model() -> impl Strategy<Value = Model> {
    proptest::collection::btree_set(0u32..300, 0..60)
}

fn from(model: &Model) -> IdSet {
    model.iter().copied().collect()
}

proptest! {
    #[test]
    fn parse_undoes_display(m in model()) {
        prop_assert_eq!(from(&m).to_string().parse::<IdSet>().unwrap(), from(&m));
    }

    #[test]
    fn algebra_is_that_of_sets(a in model(), b in model()) {
        let (x, y) = (from(&a), from(&b));
        prop_assert_eq!(&x | &y, from(&(&a | &b)));
        prop_assert_eq!(&x & &y, from(&(&a & &b)));
        prop_assert_eq!(&x - &y, from(&(&a - &b)));
        prop_assert_eq!(x.is_subset(&y), a.is_subset(&b));
        prop_assert_eq!(x.is_disjoint(&y), a.is_disjoint(&b));
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        prop_assert_eq!(x.iter().collect::<Vec<_>>(), a.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!((x.len(), x.first(), x.last()),
            (a.len(), a.first().copied(), a.last().copied()));
    }

    #[test]
    fn insert_and_remove_are_those_of_sets(a in model(), id in 0u32..300) {
        let (mut x, mut m) = (from(&a), a);
        prop_assert_eq!(x.remove(id), m.remove(&id));
        prop_assert_eq!(&x, &from(&m));
        prop_assert_eq!(x.insert(id), m.insert(id));
        prop_assert_eq!(&x, &from(&m));
    }

    #[test]
    fn no_text_panics(text in "[0-9a-f,:/ -]{0,12}") {
        let _ = text.parse::<IdSet>();
        let _ = IdSet::from_mask(&text);
    }
}
