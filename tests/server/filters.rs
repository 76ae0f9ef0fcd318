//! The direct form, and the errors of both forms.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use crate::client::{Request, call, get, post};
use crate::house::Server;
use crate::images::{Image, OTHER_KEY, expected, hostile, vectors};
use crate::jobs;

#[test]
fn the_server_says_what_it_can_do() {
    let server = Server::start(|config| config.limits.image.max_pixels = 12_345);
    let about = get(server.at, "/v1");
    assert_eq!((about.status, about.header("content-type")), (200, "application/json"));
    assert_eq!(about.header("cache-control"), "no-store");
    let json = about.json();
    assert_eq!(json["name"], "safelight");
    assert_eq!(json["wire_version"], 1);
    assert_eq!(json["jobs"], true);
    assert_eq!(json["limits"]["max_pixels"], 12_345);
    assert_eq!(json["schemes"][0]["modulus_bits"], serde_json::json!([2048, 3072, 4096]));
    assert!(json["filters"].as_array().is_some_and(|filters| filters.iter().any(|f| f["name"] == "mean")));
    assert_eq!(get(server.at, "/v1/health").json(), serde_json::json!({ "status": "ok" }));
    let description = get(server.at, "/v1/openapi.json").json();
    assert!(description["paths"]["/v1/filters/{name}"]["post"].is_object());
}

#[test]
fn the_result_is_the_librarys_own() {
    let server = Server::start(|_| ());
    let image = Image::new(61, 47, 3, 1).bytes();
    for (name, parameters) in
        [("mean", vec![("radius", "1")]), ("mean", vec![("size", "3x1")]), ("sharpen", vec![]), ("sobel-x", vec![])]
    {
        let query = parameters.iter().map(|(k, v)| format!("{k}={v}&")).collect::<Vec<_>>().concat();
        let answer = post(server.at, &format!("/v1/filters/{name}?{query}"), &image);
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/vnd.safelight"), "{answer:?}");
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        assert_eq!(Ok(answer.body), expected(name, &parameters, &image), "{name}");
    }
}

#[test]
fn the_test_vectors_pass() {
    let server = Server::start(|_| ());
    for (name, image) in vectors("valid") {
        let Ok(result) = expected("brightness", &[("offset", "0")], &image) else { continue };
        let answer = post(server.at, "/v1/filters/brightness?offset=0", &image);
        assert_eq!((answer.status, answer.body == result), (200, true), "{name}");
    }
}

#[test]
fn two_images_are_blended() {
    let server = Server::start(|_| ());
    let (a, b) = (Image::new(30, 20, 1, 1).bytes(), Image::new(30, 20, 1, 2).bytes());
    let both = [a.clone(), b].concat();
    let answer = post(server.at, "/v1/filters/blend?share=30", &both);
    assert_eq!(Ok(answer.body), expected("blend", &[("share", "30")], &both));

    let other = Image::under(Arc::clone(&OTHER_KEY), 30, 20, 1, 1, 3).bytes();
    let foreign = [a.clone(), other].concat();
    let code = expected("blend", &[], &foreign).expect_err("two keys");
    assert_eq!(post(server.at, "/v1/filters/blend", &foreign).problem(), code);
    assert_eq!(post(server.at, "/v1/filters/blend", &a).problem(), "truncated");
}

#[test]
fn an_upload_may_come_in_pieces_of_any_size_and_without_a_length() {
    let server = Server::start(|_| ());
    let image = Image::new(20, 20, 1, 3).bytes();
    let mut request = Request::open(server.at, "POST", "/v1/filters/mean", &[("Transfer-Encoding", "chunked")]);
    for (i, piece) in image.chunks(5000).enumerate() {
        request.send_chunk(piece).expect("taken");
        if i % 4 == 0 {
            sleep(Duration::from_millis(5));
        }
    }
    request.send_chunk(b"").expect("taken");
    let answer = request.answer();
    assert_eq!(Ok(answer.body), expected("mean", &[], &image));
}

#[test]
fn long_results_lie_on_disk_and_arrive_whole() {
    let server = Server::start(|_| ());
    let image = Image::new(700, 500, 3, 4).bytes();
    assert!(image.len() > 3 << 20, "longer than what stays in memory");
    let answer = post(server.at, "/v1/filters/brightness?offset=1", &image);
    assert_eq!(Ok(answer.body), expected("brightness", &[("offset", "1")], &image));
}

#[test]
fn whatever_is_wrong_fails_the_whole_request_in_both_forms() {
    let server = Server::start(|_| ());
    for (name, bytes, code) in hostile() {
        let answer = post(server.at, "/v1/filters/mean?radius=1", &bytes);
        assert!((400..500).contains(&answer.status), "{name}: {answer:?}");
        assert_eq!(answer.problem(), code, "{name}");

        // The job form also refuses what the headers reveal, without creating a job.
        let target = "/v1/filters/mean?radius=1";
        let answer = call(server.at, "POST", target, &[("Prefer", "respond-async")], &bytes);
        if answer.status != 202 {
            assert_eq!(answer.problem(), code, "{name}");
            continue;
        }
        let job = answer.header("location").to_owned();
        let status = jobs::wait(server.at, &job);
        assert_eq!((&status["state"], &status["error"]["code"]), (&"failed".into(), &code.clone().into()), "{name}");
        assert_eq!(get(server.at, &format!("{job}/result")).problem(), code, "{name}");
    }
    // The server still works.
    let image = Image::new(9, 9, 1, 5).bytes();
    assert_eq!(Ok(post(server.at, "/v1/filters/mean", &image).body), expected("mean", &[], &image));
}

#[test]
fn a_fault_is_reported_while_the_client_is_still_sending() {
    let server = Server::start(|config| config.limits.stall = Duration::from_mins(10));
    // The client never ends its upload, and the server does not wait for it.
    let mut request = Request::open(server.at, "POST", "/v1/filters/mean", &[("Content-Length", "5000000")]);
    request.send(&[0; 1000]);
    let answer = request.answer();
    assert_eq!((answer.problem().as_str(), answer.header("connection")), ("not_safelight", "close"));
    // A client that sends everything before it reads still gets the answer.
    let answer = post(server.at, "/v1/filters/mean", &vec![0; 50_000_000]);
    assert_eq!(answer.problem(), "not_safelight");
}

#[test]
fn forms_and_compressed_bodies_are_refused_with_the_reason() {
    let server = Server::start(|_| ());
    let image = Image::new(9, 9, 1, 5).bytes();
    let form = [("Content-Type", "multipart/form-data; boundary=x")];
    let packed = [("Content-Encoding", "gzip")];
    for (headers, reason) in [(form, "curl -F"), (packed, "Content-Encoding: gzip")] {
        for target in ["/v1/filters/mean", "/v1/filters/blend"] {
            for more in [&[][..], &[("Prefer", "respond-async")]] {
                let answer = call(server.at, "POST", target, &[&headers[..], more].concat(), &image);
                assert_eq!((answer.status, answer.problem().as_str()), (415, "unsupported_content"));
                assert_eq!(answer.header("accept-encoding"), "identity");
                let detail = answer.json()["detail"].as_str().expect("text").to_owned();
                assert!(detail.contains(reason) && detail.contains("curl --data-binary @"), "{detail}");
            }
        }
        let piece = call(server.at, "PATCH", "/v1/keys/x", &[("Upload-Offset", "0"), headers[0]], b"x");
        assert_eq!(piece.problem(), "unsupported_content");
    }
    assert_eq!(call(server.at, "POST", "/v1/models", &packed, b"x").problem(), "unsupported_content");
    // The headers that `curl --data-binary` sends by default are accepted.
    let usual = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Encoding", "identity")];
    assert_eq!(call(server.at, "POST", "/v1/filters/mean", &usual, &image).status, 200);
}

#[test]
fn addresses_methods_and_parameters_are_checked() {
    let server = Server::start(|_| ());
    let code = |method: &str, target: &str| {
        let answer = call(server.at, method, target, &[], b"");
        (answer.status, answer.problem())
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(code("POST", "/v1/filters/unknown"), is(404, "unknown_filter"));
    assert_eq!(code("POST", "/v1/filters/%FF"), is(404, "unknown_filter"));
    assert_eq!(code("POST", "/v1/filters/mean?radius=x"), is(400, "bad_filter"));
    assert_eq!(code("POST", "/v1/filters/mean?radios=1"), is(400, "bad_filter"));
    assert_eq!(code("POST", "/v1/filters/mean?radius=1&radius=1"), is(400, "bad_filter"));
    assert_eq!(code("POST", "/v1/filters/mean?radius=%FF"), is(400, "bad_filter"));
    for unknown in ["/v1/", "/v1/filters", "/v1/filters/", "/v1/jobs/", "/v1/jobs/a/b", "/v1/nothing", "/v2", "/x"] {
        assert_eq!(code("GET", unknown), is(404, "not_found"), "{unknown}");
    }
    for unknown in ["/v1/jobs/x", "/v1/jobs/%FF", "/v1/jobs/x/events", "/v1/jobs/x/result"] {
        assert_eq!(code("GET", unknown), is(404, "job_not_found"), "{unknown}");
    }
    assert_eq!(code("DELETE", "/v1/jobs/x"), is(404, "job_not_found"));
    for (method, target) in [("GET", "/v1/filters/mean"), ("PUT", "/v1"), ("POST", "/v1/jobs/x"), ("POST", "/")] {
        assert_eq!(code(method, target), is(405, "method_not_allowed"), "{method} {target}");
    }
    assert_eq!(call(server.at, "GET", "/v1/filters/mean", &[], b"").header("allow"), "POST");
    assert_eq!(call(server.at, "HEAD", "/v1", &[], b"").status, 200);
}

#[test]
fn everything_in_the_description_exists() {
    let server = Server::start(|_| ());
    let description = get(server.at, "/v1/openapi.json").json();
    for (path, item) in description["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys().filter(|key| *key != "parameters") {
            let target = path.replace("{name}", "mean").replace("{id}", "x");
            let answer = call(server.at, &method.to_uppercase(), &target, &[], b"");
            assert!(answer.status != 405, "{method} {path}");
            if answer.status == 404 {
                let unknown = [("jobs", "job_not_found"), ("keys", "keys_not_found"), ("", "model_not_found")];
                let (_, unknown) = unknown.into_iter().find(|(part, _)| path.contains(part)).expect("the last one");
                // The answer to HEAD has no body.
                assert!(method == "head" || answer.problem() == unknown, "{method} {path}");
            }
        }
    }
}
