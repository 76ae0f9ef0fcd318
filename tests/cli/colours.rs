//! The colour space of a photo: kept at home and written into the result, or converted, and never sent.

use safelight::photo::{Colour, Photo, encode_png_in};

use crate::program::{Folder, Run, mode, picture};

/// A Display P3 profile.
fn p3() -> Colour {
    Colour::from_bytes(include_bytes!("../../fuzz/corpus/colour/display-p3")).expect("a profile")
}

fn adobe() -> Colour {
    Colour::from_bytes(include_bytes!("../../fuzz/corpus/colour/adobe-rgb")).expect("a profile")
}

/// A folder with photos of the same samples: `p3.png`, `adobe.png` and, without a profile, `plain.png`.
fn folder() -> Folder {
    let folder = Folder::new();
    let photo = picture(9, 7, 3, 11);
    for (name, colour) in [("p3.png", p3()), ("adobe.png", adobe()), ("plain.png", Colour::Srgb)] {
        let png = encode_png_in(&colour, 9, 7, 3, photo.samples(), None).expect("PNG");
        folder.write(name, &png);
    }
    folder
}

fn elsewhere(folder: &Folder, arguments: &str) -> Run {
    let mut command = folder.command(arguments.split_whitespace());
    command.env("SAFELIGHT_HOME", folder.path(".other"));
    Run::of(command.output().expect("it runs"))
}

#[track_caller]
fn told(run: Run, text: &str) {
    let errors = run.errors();
    run.ok();
    assert!(errors.contains(text), "{errors}");
}

fn srgb(photo: &Photo) -> Photo {
    photo.clone().into_srgb()
}

#[test]
fn the_profile_stays_at_home_and_goes_into_the_result() {
    let folder = folder();
    told(folder.run("encrypt --key my.key p3.png --out p3.slt --for mean"), "stays on this machine");
    folder.run("filter mean p3.slt --out mean.slt").ok();
    for (image, out) in [("p3.slt", "back.png"), ("mean.slt", "mean.png")] {
        folder.run(&format!("decrypt --key my.key {image} --out {out}")).ok();
        assert_eq!(*folder.read_photo(out).colour(), p3());
    }
    assert_eq!(folder.read_photo("back.png").samples(), folder.read_photo("p3.png").samples());
    // The files that are sent contain nothing of the profile.
    let Colour::Icc(profile) = p3() else { panic!("a profile") };
    for image in ["p3.slt", "mean.slt"] {
        let bytes = folder.read(image);
        let rich = |window: &&[u8]| window.iter().collect::<std::collections::HashSet<_>>().len() >= 6;
        for window in profile.windows(12).filter(rich) {
            assert!(!bytes.windows(12).any(|other| other == window));
        }
    }
    // The folder at home contains a profile and a number, readable only by their owner, and no name.
    let home = folder.path(".home/colours");
    let mut names = Vec::new();
    for part in ["photos", "profiles"] {
        assert_eq!(mode(&home.join(part)), 0o700);
        for entry in home.join(part).read_dir().expect("a folder") {
            let path = entry.expect("an entry").path();
            assert_eq!(mode(&path), 0o600);
            names.push(path.file_name().expect("a name").to_string_lossy().into_owned());
        }
    }
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|name| name.len() == 64 && !name.contains("p3")), "{names:?}");
    // The folder may be deleted.
    std::fs::remove_dir_all(&home).expect("removed");
    told(folder.run("decrypt --key my.key p3.slt --out back.png"), "use --original");
    assert_eq!(*folder.read_photo("back.png").colour(), Colour::Srgb);
}

#[test]
fn the_original_has_it_on_other_machines() {
    let folder = folder();
    folder.run("encrypt --key my.key p3.png --out p3.slt").ok();
    let run = elsewhere(&folder, "decrypt --key my.key p3.slt --out back.png --original p3.png");
    assert_eq!(run.errors(), "");
    run.ok();
    assert_eq!(*folder.read_photo("back.png").colour(), p3());
    told(
        elsewhere(&folder, "decrypt --key my.key p3.slt --out back.png"),
        "If the photo has a colour profile, use --original",
    );
    assert_eq!(*folder.read_photo("back.png").colour(), Colour::Srgb, "nothing is known");
    assert!(!folder.path(".other").exists());
}

#[test]
fn samples_are_converted_where_that_is_wanted_and_compared_as_they_were_sent() {
    let folder = folder();
    let converted = srgb(&folder.read_photo("p3.png"));
    assert_ne!(converted.samples(), folder.read_photo("p3.png").samples());
    told(folder.run("encrypt --key my.key p3.png --out p3.slt --colour srgb"), "converted to sRGB");
    for original in ["", "--original p3.png", "--original p3.png --colour srgb"] {
        folder.run(&format!("decrypt --key my.key p3.slt --out back.png {original}")).ok();
        let back = folder.read_photo("back.png");
        assert_eq!((back.colour(), back.samples()), (&Colour::Srgb, converted.samples()));
    }
    folder.run("decrypt --key my.key p3.slt --out x.png --original p3.png --colour keep").error("wrong_result");
    elsewhere(&folder, "decrypt --key my.key p3.slt --out x.png --original p3.png --colour srgb").ok();
    // With someone else's public key, the profile cannot be restored.
    told(folder.run("encrypt --key my.pub p3.png --out pub.slt"), "converted to sRGB");
    folder.run("decrypt --key my.key pub.slt --out back.png --no-check").ok();
    assert_eq!(folder.read_photo("back.png").samples(), converted.samples());
    told(folder.run("encrypt --key my.pub p3.png --out pub.slt --colour keep"), "--original");
    // The option makes no difference to a photo without a profile.
    for colour in ["", "--colour keep", "--colour srgb"] {
        let run = folder.run(&format!("encrypt --key my.key plain.png --out plain.slt {colour}"));
        assert_eq!(run.errors(), "");
        run.ok();
        let run = folder.run("decrypt --key my.key plain.slt --out back.png");
        assert_eq!(run.errors(), "", "that it has none is known here");
        run.ok();
    }
    told(elsewhere(&folder, "decrypt --key my.key plain.slt --out back.png"), "use --original");
}

#[test]
fn where_nothing_can_be_kept_it_is_said() {
    let folder = folder();
    folder.write(".home", b"a file, not a folder");
    told(folder.run("encrypt --key my.key p3.png --out p3.slt"), "could not be kept");
    told(folder.run("decrypt --key my.key p3.slt --out back.png"), "use --original");
    assert_eq!(folder.run("encrypt --key my.key plain.png --out plain.slt").errors(), "", "nothing is lost");
    folder.run("decrypt --key my.key p3.slt --out back.png --original p3.png").ok();
    assert_eq!(*folder.read_photo("back.png").colour(), p3());
}

#[test]
fn of_two_photos_with_different_profiles_none_fits() {
    let folder = folder();
    for name in ["p3", "adobe"] {
        folder.run(&format!("encrypt --key my.key {name}.png --out {name}.slt --for blend")).ok();
    }
    folder.run("filter blend p3.slt adobe.slt --out blend.slt").ok();
    told(folder.run("decrypt --key my.key blend.slt --out back.png"), "different colour profiles");
    assert_eq!(*folder.read_photo("back.png").colour(), Colour::Srgb);
    folder.run("encrypt --key my.key plain.png --out plain.slt --for blend").ok();
    folder.run("filter blend plain.slt p3.slt --out blend.slt").ok();
    told(folder.run("decrypt --key my.key blend.slt --out back.png"), "different colour profiles");
    folder.run("filter blend p3.slt p3.slt --out blend.slt").ok();
    folder.run("decrypt --key my.key blend.slt --out back.png").ok();
    assert_eq!(*folder.read_photo("back.png").colour(), p3());
}

#[test]
fn scrambled_pictures_are_treated_alike() {
    let folder = folder();
    folder.run("keygen etc --out etc.key").ok();
    told(folder.run("etc encrypt --key etc.key p3.png --out scrambled.png"), "stays on this machine");
    assert_eq!(*folder.read_photo("scrambled.png").colour(), Colour::Srgb, "nothing of it in the picture");
    folder.run("etc decrypt --key etc.key scrambled.png --out back.png").ok();
    assert_eq!(folder.read_photo("back.png"), folder.read_photo("p3.png"));
    told(elsewhere(&folder, "etc decrypt --key etc.key scrambled.png --out back.png"), "use --original");
    folder.run("etc encrypt --key etc.key plain.png --out plain.scrambled.png").ok();
    assert_eq!(folder.run("etc decrypt --key etc.key plain.scrambled.png --out back.png").errors(), "");
    elsewhere(&folder, "etc decrypt --key etc.key scrambled.png --out back.png --original p3.png").ok();
    assert_eq!(folder.read_photo("back.png"), folder.read_photo("p3.png"));
    // Programs that learn must see the same colour space in all pictures.
    told(folder.run("etc encrypt --key etc.key --fixed-key p3.png --out fixed.png"), "converted to sRGB");
    folder.run("etc decrypt --key etc.key fixed.png --out back.png").ok();
    assert_eq!(folder.read_photo("back.png").samples(), srgb(&folder.read_photo("p3.png")).samples());
    told(folder.run("etc encrypt --key etc.key --fixed-key p3.png --out fixed.png --colour keep"), "--original");
}

#[test]
fn pictures_to_learn_from_become_srgb() {
    let folder = folder();
    let converted = srgb(&folder.read_photo("p3.png"));
    for (set, photo) in [("wide", folder.read("p3.png")), ("plain", Vec::new())] {
        for (label, seed) in [("a", 1), ("b", 2)] {
            std::fs::create_dir_all(folder.path(&format!("{set}/{label}"))).expect("a folder");
            folder.write_png(&format!("{set}/{label}/1.png"), &picture(9, 7, 3, seed));
        }
        folder.write(&format!("{set}/a/2.png"), &photo);
    }
    folder.write_png("plain/a/2.png", &converted);
    for set in ["wide", "plain"] {
        folder.run(&format!("train {set} --learner knn --neighbours 1 --out {set}.model")).ok();
    }
    assert_eq!(folder.read("wide.model"), folder.read("plain.model"));
}
