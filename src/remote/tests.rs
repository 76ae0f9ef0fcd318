//! Conversations with scripted answers.

use std::fmt::Write as _;
use std::time::Duration;

use super::*;
use crate::error::{Code, Error, Result};

/// Holds a conversation against a script: what each request must be, in one line, and its answer. Pauses pass at once.
fn play<T>(mut conversation: Conversation<T>, script: Vec<(&str, Result<Answer>)>) -> Result<T> {
    let mut script = script.into_iter();
    loop {
        match conversation.step() {
            Step::Pause(time) => assert!((Duration::from_millis(1)..=Duration::from_secs(15)).contains(&time)),
            Step::Exchange(request) => {
                let line = line(&request);
                let (expected, answer) = script.next().unwrap_or_else(|| panic!("nothing answers {line}"));
                assert_eq!(line, expected);
                conversation.answer(answer);
            }
            Step::Done(outcome) => {
                assert_eq!(script.next().map(|(expected, _)| expected), None);
                return outcome;
            }
        }
    }
}

fn line(request: &Request) -> String {
    let mut line = format!("{} {}", request.method, request.path);
    for (name, value) in &request.headers {
        write!(line, " {name}={value}").expect("a text");
    }
    match &request.body {
        Body::Empty => {}
        Body::Input(range) => write!(line, " [{range:?}]").expect("a text"),
        Body::Form(labels) => write!(line, " {labels:?}").expect("a text"),
    }
    if request.farewell { line + " bye" } else { line }
}

#[expect(clippy::unnecessary_wraps, reason = "as a driver tells it")]
fn answer(status: u16, body: &str) -> Result<Answer> {
    Ok(Answer { status, body: body.into(), ..Answer::default() })
}

#[expect(clippy::unnecessary_wraps, reason = "as a driver tells it")]
fn created(status: u16, location: &str) -> Result<Answer> {
    Ok(Answer { status, location: Some(location.into()), ..Answer::default() })
}

fn broken<T>() -> Result<T> {
    Err(Error::new(Code::Unreachable, "the connection broke"))
}

fn mean() -> Conversation<()> {
    filter("mean", &[("size".into(), "3x1".into()), ("w".into(), "1,-2;3 4".into())], 100, 1000)
}

const POST: &str = "POST v1/filters/mean?size=3x1&w=1%2C-2%3B3%204 Content-Type=application/vnd.safelight \
                    Prefer=respond-async [0..100]";
const BYE: &str = "DELETE v1/jobs/7 bye";

#[test]
fn a_server_may_answer_at_once_or_with_a_job() {
    assert_eq!(play(mean(), vec![(POST, answer(200, ""))]), Ok(()));
    let script = vec![
        (POST, created(202, "/v1/jobs/7")),
        ("GET v1/jobs/7", answer(200, r#"{"state":"waiting"}"#)),
        ("GET v1/jobs/7", answer(200, r#"{"state":"running","done":1,"total":9,"new":{}}"#)),
        ("GET v1/jobs/7", answer(200, r#"{"state":"done"}"#)),
        ("GET v1/jobs/7/result", answer(200, "")),
        (BYE, broken()),
    ];
    assert_eq!(play(mean(), script), Ok(()));
}

#[test]
fn a_failed_job_says_why_and_is_deleted() {
    let failed = r#"{"state":"failed","error":{"code":"time_limit","detail":"too slow"}}"#;
    let script =
        vec![(POST, created(202, "/v1/jobs/7")), ("GET v1/jobs/7", answer(200, failed)), (BYE, answer(204, ""))];
    let error = play(mean(), script).expect_err("it failed");
    assert_eq!((error.kind(), error.message()), (Code::TimeLimit, "the server says: too slow"));
}

#[test]
fn a_broken_connection_does_not_end_the_wait_for_a_job() {
    let poll = || ("GET v1/jobs/7", answer(200, r#"{"state":"running"}"#));
    let mut script = vec![(POST, created(202, "/v1/jobs/7")), poll()];
    // In a row, eight failures are too few to give up; what comes through starts the count anew.
    for _ in 0..2 {
        script.extend((0..8).map(|_| ("GET v1/jobs/7", broken())));
        script.push(poll());
    }
    script.extend((0..9).map(|_| ("GET v1/jobs/7", broken())));
    script.push((BYE, broken()));
    assert_eq!(play(mean(), script).map_err(|error| error.kind()), Err(Code::Unreachable));
    // But a request that starts work is not sent twice.
    assert_eq!(play(mean(), vec![(POST, broken())]).map_err(|error| error.kind()), Err(Code::Unreachable));
}

#[test]
fn refusals_keep_their_code_and_when_to_try_again() {
    let problem = r#"{"code":"too_busy","detail":"later"}"#;
    let refused = Answer { status: 503, retry_after: Some(9), body: problem.into(), ..Answer::default() };
    let error = play(mean(), vec![(POST, Ok(refused))]).expect_err("refused");
    assert_eq!((error.kind(), error.retry_after()), (Code::TooBusy, Some(9)));
    for (status, body) in [(200, "?"), (200, "{}"), (301, ""), (404, "<html>"), (500, r#"{"code":"mine"}"#)] {
        let script = vec![(POST, created(202, "/v1/jobs/7")), ("GET v1/jobs/7", answer(status, body)), (BYE, broken())];
        assert_eq!(play(mean(), script).map_err(|error| error.kind()), Err(Code::BadAnswer), "{status} {body}");
    }
    let moved = play(mean(), vec![(POST, created(301, "https://anna:geheim@other.example/"))]).expect_err("moved");
    assert!(moved.message().contains("https://other.example/") && !moved.message().contains("geheim"), "{moved}");
}

#[test]
fn an_id_is_all_that_is_taken_from_an_address() {
    let place = |location: &str| match created(202, location) {
        Ok(answer) => jobs::place(&answer, "jobs").ok(),
        Err(_) => None,
    };
    for good in ["/v1/jobs/7", "http://two.example/v1/jobs/7", "/below/v1/jobs/7", "//two.example/v1/jobs/7"] {
        assert_eq!(place(good).as_deref(), Some("v1/jobs/7"), "{good}");
    }
    let long = format!("/v1/jobs/{}", "7".repeat(201));
    for bad in [
        "",
        "7",
        "jobs/7",
        "v1/jobs/7",
        "/v1/jobs/",
        "/v1/keys/7",
        "/v1/jobs/7?a",
        "/v1/jobs/../7",
        "/v1/jobs/ä",
        &long,
    ] {
        assert_eq!(place(bad), None, "{bad}");
    }
}

#[test]
fn whoever_cancels_leaves_nothing_behind() {
    let mut conversation = mean();
    let Step::Exchange(_) = conversation.step() else { panic!("it sends the image") };
    // The answer came at the last moment.
    conversation.cancel();
    conversation.answer(created(202, "/v1/jobs/7"));
    let Step::Exchange(request) = conversation.step() else { panic!("it clears up") };
    assert_eq!(line(&request), BYE);
    conversation.answer(broken());
    let Step::Done(outcome) = conversation.step() else { panic!("it is over") };
    assert_eq!(outcome.map_err(|error| error.kind()), Err(Code::Cancelled));
}

#[test]
fn pauses_end_when_the_work_is_cancelled() {
    let mut conversation = mean();
    for reply in [created(202, "/v1/jobs/7"), answer(200, r#"{"state":"running","done":3,"total":4}"#)] {
        assert!(matches!(conversation.step(), Step::Exchange(_)));
        conversation.answer(reply);
    }
    assert!(matches!(conversation.step(), Step::Pause(_)));
    assert_eq!(conversation.progress(), Progress { phase: Phase::Work, done: 3, total: 4 });
    conversation.cancel();
    assert!(matches!(conversation.step(), Step::Exchange(Request { farewell: true, .. })));
}

#[test]
fn keys_go_on_where_their_upload_broke_off() {
    let head = |offset| Ok(Answer { status: 200, offset: Some(offset), ..Answer::default() });
    let patch = "PATCH v1/keys/k Upload-Offset=0 Content-Type=application/partial-upload [0..100]";
    let rest = "PATCH v1/keys/k Upload-Offset=40 Content-Type=application/partial-upload [40..100]";
    let begin = || ("POST v1/keys Upload-Length=100", created(201, "/v1/keys/k"));
    let script = vec![
        begin(),
        (patch, broken()),
        ("HEAD v1/keys/k", broken()),
        ("HEAD v1/keys/k", head(40)),
        (rest, answer(409, r#"{"code":"wrong_offset","detail":"?"}"#)),
        ("HEAD v1/keys/k", head(100)),
    ];
    assert_eq!(play(send_keys(100), script), Ok("v1/keys/k".into()));

    // The server has forgotten what it had acknowledged, or says nonsense, or does not want them.
    let bye = || ("DELETE v1/keys/k bye", answer(204, ""));
    for offset in [39, 101] {
        let script = vec![begin(), (patch, broken()), ("HEAD v1/keys/k", head(40)), (rest, broken())];
        let script = [script, vec![("HEAD v1/keys/k", head(offset)), bye()]].concat();
        assert_eq!(play(send_keys(100), script).map_err(|error| error.kind()), Err(Code::BadAnswer));
    }
    let script = vec![begin(), (patch, answer(400, r#"{"code":"damaged","detail":"?"}"#)), bye()];
    assert_eq!(play(send_keys(100), script).map_err(|error| error.kind()), Err(Code::Damaged));
    // It ends, even if the server says again and again that nothing has arrived.
    let mut script = vec![begin()];
    for _ in 0..8 {
        script.extend([(patch, broken()), ("HEAD v1/keys/k", head(0))]);
    }
    script.extend([(patch, broken()), bye()]);
    assert_eq!(play(send_keys(100), script).map_err(|error| error.kind()), Err(Code::Unreachable));
}

#[test]
fn long_keys_go_in_pieces() {
    let (length, piece) = (3 << 26, 1_u64 << 26);
    let mut conversation = send_keys(length);
    let mut ranges = Vec::new();
    let outcome = loop {
        match conversation.step() {
            Step::Exchange(Request { body: Body::Input(range), .. }) => {
                conversation.sent(5);
                assert_eq!(conversation.progress().done, range.start + 5);
                ranges.push(range);
                conversation.answer(answer(200, ""));
            }
            Step::Exchange(_) => conversation.answer(created(201, "/v1/keys/k")),
            Step::Pause(_) => panic!("nothing to wait for"),
            Step::Done(outcome) => break outcome,
        }
    };
    assert_eq!(outcome, Ok("v1/keys/k".into()));
    assert_eq!(ranges, [0..piece, piece..2 * piece, 2 * piece..length]);
}

#[test]
fn models_learn_and_answer() {
    let labels = vec!["0".to_owned(), "1".to_owned()];
    let post = r#"POST v1/models?learner=svm-linear Prefer=respond-async ["0", "1"]"#;
    let good = r#"{"id":"m","classes":[{"label":"1"},{"label":"0","pictures":1}],"learner":"svm"}"#;
    let model = play(train("svm-linear", labels.clone(), 9), vec![(post, answer(201, good))]).expect("a model");
    assert_eq!((model.id.as_str(), model.classes.len()), ("m", 2));
    for bad in ["", "{}", r#"{"id":"m","classes":[]}"#, r#"{"id":"../m","classes":[{"label":"1"}]}"#] {
        let outcome = play(train("svm-linear", labels.clone(), 9), vec![(post, answer(201, bad))]);
        assert_eq!(outcome.map(drop).map_err(|error| error.kind()), Err(Code::BadAnswer), "{bad}");
    }
    let script = vec![(
        "POST v1/classifiers/m Content-Type=image/png Prefer=respond-async [0..5]",
        answer(200, r#"{"label":"1","class":0,"scores":null,"probabilities":[0.5,0.5]}"#),
    )];
    let verdict = play(classify("m", "image/png", 5), script).expect("a verdict");
    assert_eq!((verdict.label.as_str(), verdict.probabilities), ("1", Some(vec![0.5, 0.5])));
}

#[test]
fn networks_are_asked_with_the_keys_id_alone() {
    assert_eq!(play(network("a b"), vec![("GET v1/models/a%20b/file", answer(200, ""))]), Ok(()));
    let script = vec![(
        "POST v1/classifiers/n?keys=k Content-Type=application/vnd.safelight Prefer=respond-async [0..7]",
        answer(404, r#"{"code":"keys_not_found","detail":"gone"}"#),
    )];
    assert_eq!(play(ask("n", "v1/keys/k", 7), script).map_err(|error| error.kind()), Err(Code::KeysNotFound));
    assert_eq!(play(forget("v1/keys/k"), vec![("DELETE v1/keys/k bye", broken())]), Ok(()));
    assert_eq!(play(delete("v1/keys/k"), vec![("DELETE v1/keys/k", answer(204, ""))]), Ok(()));
    assert_eq!(play(look(), vec![("GET v1", answer(200, "{}"))]), Ok(b"{}".to_vec()));
}

#[test]
fn answers_have_a_greatest_length() {
    let keep = Keep::Output(9);
    assert!(keep.is_output(200) && keep.longest(200) == 9);
    assert!(!keep.is_output(404) && keep.longest(404) > 9, "an explanation is not the output");
    assert!(!keep.is_output(202), "nor is the address of a job");
}
