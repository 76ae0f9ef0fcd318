//! The job form of training, loading and classifying.

use std::net::SocketAddr;
use std::time::Duration;

use safelight::server::Config;
use safelight::wire;

use crate::client::{Answer, call, get, post};
use crate::house::{Server, until};
use crate::jobs::{occupy, wait};
use crate::models::{FORM, album, file, form, picture};

const AS_JOB: (&str, &str) = ("Prefer", "respond-async");

/// Starts a job and returns its address.
fn start(to: SocketAddr, target: &str, content: (&str, &str), body: &[u8]) -> String {
    let answer = call(to, "POST", target, &[AS_JOB, content], body);
    assert_eq!((answer.status, answer.header("preference-applied")), (202, "respond-async"), "{answer:?}");
    assert_eq!(answer.json()["state"], "waiting");
    let job = answer.header("location").to_owned();
    assert!(job.starts_with("/v1/jobs/"), "{job}");
    job
}

/// Waits until a job is done and fetches its result.
fn result(to: SocketAddr, job: &str) -> Answer {
    let status = wait(to, job);
    assert_eq!(status["state"], "done", "{status}");
    let result = get(to, &format!("{job}/result"));
    assert_eq!(result.status, 200, "{result:?}");
    assert!(result.header("etag").starts_with('"'));
    result
}

fn train(to: SocketAddr, query: &str) -> String {
    start(to, &format!("/v1/models{query}"), FORM, &form(&album()))
}

/// One client has room for one model.
fn one_model(config: &mut Config) {
    config.limits.client.models = 1;
}

fn has_room_for_a_model(to: SocketAddr) -> bool {
    let answer = call(to, "POST", "/v1/models", &[FORM], &form(&album()));
    assert!([201, 429].contains(&answer.status), "{answer:?}");
    answer.status == 201
}

#[test]
fn a_job_trains_a_model_that_can_be_used() {
    let server = Server::start(|_| ());
    let at = server.at;
    for query in ["?learner=svm-rbf", "?learner=forest&trees=7"] {
        let job = train(at, query);
        let result = result(at, &job);
        assert_eq!(result.header("content-type"), "application/json");
        let json = result.json();
        let location = result.header("location");
        assert_eq!(location, format!("/v1/models/{}", json["id"].as_str().expect("an id")));
        assert_eq!(get(at, location).json(), json);
        let status = get(at, &job).json();
        assert!(status["total"].as_u64() > Some(0) && status["done"] == status["total"], "{status}");

        let direct = call(at, "POST", &format!("/v1/models{query}"), &[FORM], &form(&album()));
        assert_eq!((direct.status, direct.header("content-type")), (201, "application/json"));
        let file = |location: &str| get(at, &format!("{location}/file")).body;
        assert!(file(location) == file(direct.header("location")), "both forms train the same model");
        let mut same = direct.json();
        same["id"] = json["id"].clone();
        assert_eq!(same, json);

        let said = post(at, &location.replace("models", "classifiers"), &picture(1, 77));
        assert_eq!(said.json()["class"], 1);
    }
}

#[test]
fn a_job_loads_a_model_file() {
    let server = Server::start(|_| ());
    let file = file();
    let job = start(server.at, "/v1/models", ("Content-Type", wire::MEDIA_TYPE), &file);
    let result = result(server.at, &job);
    let location = result.header("location").to_owned();
    assert_eq!(get(server.at, &location).json(), result.json());
    assert!(get(server.at, &format!("{location}/file")).body == file);

    // The result can be fetched in parts, as that of every job.
    let range = [("Range", "bytes=1-9"), ("If-Range", result.header("etag"))];
    let part = call(server.at, "GET", &format!("{job}/result"), &range, b"");
    assert_eq!((part.status, part.header("content-type")), (206, "application/json"));
    assert_eq!(part.body, result.body[1..10]);

    // The model belongs to the client now, whatever becomes of the job.
    assert_eq!(call(server.at, "DELETE", &job, &[], b"").status, 204);
    assert_eq!(get(server.at, &location).status, 200);
}

#[test]
fn a_job_classifies_a_picture() {
    let server = Server::start(|_| ());
    let model = call(server.at, "POST", "/v1/models", &[FORM], &form(&album())).header("location").to_owned();
    let classifier = model.replace("models", "classifiers");
    for class in 0..2 {
        let picture = picture(class, 50);
        let job = start(server.at, &classifier, ("Content-Type", "image/png"), &picture);
        let result = result(server.at, &job);
        let direct = post(server.at, &classifier, &picture);
        assert_eq!((result.header("content-type"), result.header("location")), ("application/json", ""));
        assert_eq!(direct.header("content-type"), "application/json");
        assert_eq!(direct.header("content-length"), result.body.len().to_string());
        assert_eq!(result.body, direct.body);
        assert_eq!(result.json()["class"], class);
    }
}

#[cfg(feature = "client")]
#[test]
fn a_job_classifies_an_encrypted_picture() {
    let server = Server::start(|_| ());
    let asked = crate::networks::Asked::new(&server);
    let job = start(server.at, &asked.target, ("Content-Type", wire::MEDIA_TYPE), &asked.picture);
    let result = result(server.at, &job);
    let direct = post(server.at, &asked.target, &asked.picture);
    assert_eq!((direct.status, direct.header("content-type")), (200, wire::MEDIA_TYPE));
    assert_eq!(result.header("content-type"), wire::MEDIA_TYPE);
    assert!(result.body == direct.body, "both forms give the same scores");
}

#[test]
fn a_failed_job_says_what_is_wrong_with_its_upload() {
    let server = Server::start(|_| ());
    let model = call(server.at, "POST", "/v1/models", &[FORM], &form(&album())).header("location").to_owned();
    let mut damaged = file();
    damaged[200] ^= 1;
    let cut = &picture(0, 1)[..100];
    let jobs = [
        (start(server.at, "/v1/models", FORM, &form(&album()[..1])), "bad_argument"),
        (start(server.at, "/v1/models", ("Content-Type", wire::MEDIA_TYPE), &damaged), "damaged"),
        (
            start(server.at, &model.replace("models", "classifiers"), ("Content-Type", "image/png"), cut),
            "damaged_image",
        ),
    ];
    for (job, code) in jobs {
        let status = wait(server.at, &job);
        assert_eq!((&status["state"], &status["error"]["code"]), (&"failed".into(), &code.into()), "{status}");
        assert_eq!(get(server.at, &format!("{job}/result")).problem(), code);
    }
    // What can be known before the upload is not left to the job.
    for (target, content, code) in [
        ("/v1/models?learner=oracle", FORM, "bad_argument"),
        ("/v1/models?cost=2", ("Content-Type", wire::MEDIA_TYPE), "bad_argument"),
        ("/v1/classifiers/never-was", ("Content-Type", "image/png"), "model_not_found"),
    ] {
        let refused = call(server.at, "POST", target, &[AS_JOB, content], b"x");
        assert_eq!(refused.problem(), code, "{target}");
    }
}

#[test]
fn a_training_that_is_cancelled_leaves_no_model() {
    let server = Server::start(|config| {
        one_model(config);
        config.limits.running = 1;
    });
    let at = server.at;
    // One that waits.
    let busy = occupy(at);
    let waiting = train(at, "");
    assert_eq!(call(at, "DELETE", &waiting, &[], b"").status, 204);
    assert_eq!(get(at, &waiting).problem(), "job_not_found");
    assert_eq!(call(at, "DELETE", &busy, &[], b"").status, 204);
    // One that runs, or is already finished on a fast machine.
    let running = train(at, "?learner=forest&trees=1000");
    until("the training has begun", || get(at, &running).json()["state"] != "waiting");
    assert_eq!(call(at, "DELETE", &running, &[], b"").status, 204);
    until("its share is given back", || has_room_for_a_model(at));
    assert!(!has_room_for_a_model(at), "there is no other model");
}

#[test]
fn a_model_whose_id_nobody_fetched_goes_with_its_job() {
    let server = Server::start(|config| {
        one_model(config);
        config.limits.keep_results = Duration::from_millis(500);
    });
    let job = train(server.at, "");
    assert_eq!(wait(server.at, &job)["state"], "done");
    assert!(!has_room_for_a_model(server.at), "the model is kept for as long as the job");
    until("the job expires", || get(server.at, &job).status == 404);
    until("its model is deleted", || has_room_for_a_model(server.at));
}

#[test]
fn a_model_whose_id_nobody_fetched_goes_when_its_job_is_deleted() {
    let server = Server::start(one_model);
    let job = train(server.at, "");
    assert_eq!(wait(server.at, &job)["state"], "done");
    assert_eq!(call(server.at, "DELETE", &job, &[], b"").status, 204);
    until("its model is deleted", || has_room_for_a_model(server.at));
}

#[test]
fn a_model_whose_id_somebody_knows_stays_when_its_job_expires() {
    let server = Server::start(|config| config.limits.keep_results = Duration::from_millis(500));
    // The header alone has the id.
    for method in ["GET", "HEAD"] {
        let job = train(server.at, "");
        assert_eq!(wait(server.at, &job)["state"], "done");
        let location = call(server.at, method, &format!("{job}/result"), &[], b"").header("location").to_owned();
        until("the job expires", || get(server.at, &job).status == 404);
        assert_eq!(get(server.at, &location).status, 200, "{method}");
    }
}
