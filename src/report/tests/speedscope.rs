//! The profile for speedscope.

use serde_json::Value;

use super::{sample, written};
use crate::diagnosis::Diagnosis;
use crate::report::View;

fn file(diagnosis: &Diagnosis) -> Value {
    serde_json::from_str(&written("speedscope", diagnosis, &View::default())).expect("JSON")
}

/// The names of a sample's frames.
fn names(file: &Value, profile: usize, sample: usize) -> Vec<&str> {
    let ixs = file["profiles"][profile]["samples"][sample].as_array().expect("a sample");
    ixs.iter()
        .map(|ix| file["shared"]["frames"][ix.as_u64().unwrap() as usize]["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_cluster_is_a_sample_and_its_threads_are_the_weight() {
    let file = file(&sample::incident(4499));
    let profile = &file["profiles"][0];
    assert_eq!((&profile["type"], &profile["unit"]), (&"sampled".into(), &"none".into()));
    assert_eq!(profile["weights"], serde_json::json!([4499, 500, 1, 1]));
    assert_eq!((&profile["startValue"], &profile["endValue"]), (&0.into(), &5001.into()));
    assert_eq!(profile["name"], "logserver 4332 (core.zst)");
    let sample = names(&file, 0, 0);
    assert_eq!((sample[0], sample[1]), ("start_thread", "worker"));
    assert_eq!(sample.last(), Some(&"[lock-wait g_log_mutex]"));
}

#[test]
fn frames_are_shared_and_know_their_source() {
    let mut twice = sample::incident(3);
    twice.snapshots.extend(sample::incident(4).snapshots);
    let (one, two) = (file(&sample::incident(3)), file(&twice));
    assert_eq!(two["profiles"].as_array().map(Vec::len), Some(2));
    assert_eq!(one["shared"]["frames"], two["shared"]["frames"], "the second brings no new frame");
    let frames = one["shared"]["frames"].as_array().unwrap();
    let place = frames.iter().find(|frame| frame["name"] == "log_message").expect("log_message");
    assert_eq!((&place["file"], &place["line"]), (&"src/logserver.c".into(), &19.into()));
    assert!(frames.iter().all(|frame| frame.as_object().unwrap().values().all(|value| !value.is_null())));
}

#[test]
fn hostile_text_and_nothing_at_all_are_files_too() {
    assert_eq!(file(&sample::hostile())["profiles"].as_array().map(Vec::len), Some(1));
    assert_eq!(file(&Diagnosis::default())["profiles"], serde_json::json!([]));
}
