//! Error rates drawn as an SVG file, after figure 4 of Kawamura, Kinoshita, Kiya (2020).

use std::fmt::Display;

use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::drawing::{DrawingArea, IntoDrawingArea as _};
use plotters::element::{Circle, Cross, ErrorBar, PathElement, Text};
use plotters::series::LineSeries;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, IntoFont as _, IntoTextStyle as _, RGBColor, TextStyle, WHITE};

use crate::error::{Code, Error, Result};
use crate::experiments::etc_svm::{FRACTIONS, PAPER_LINEAR, Pictures, Row};
use crate::learn::kernel::Family;

/// Colours that colour-blind people can distinguish (Okabe, Ito 2008).
const COLOURS: [RGBColor; 4] =
    [RGBColor(0xd5, 0x5e, 0x00), RGBColor(0x00, 0x72, 0xb2), RGBColor(0x60, 0x60, 0x60), RGBColor(0x00, 0x9e, 0x73)];
const INK: RGBColor = RGBColor(0x20, 0x20, 0x20);
const PALE: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
/// The size of a panel, and the height of the legend below all, in pixels.
const PANEL: (u32, u32) = (400, 340);
const LEGEND: u32 = 34;
const FONT: &str = "sans-serif";

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// A panel for each kernel: equal error rates over sampling, means with deviations.
pub(super) fn svg(rows: &[Row]) -> Result<String> {
    let mut kernels: Vec<Family> = rows.iter().map(|row| row.kernel).collect();
    kernels.dedup();
    // One scale for all, so that panels can be compared.
    let highest = rows.iter().map(percent).map(|(mean, deviation)| mean + deviation).fold(0.1, f64::max);
    let mut text = String::new();
    let panels = kernels.len().max(1);
    let width = PANEL.0 * u32::try_from(panels).unwrap_or(1);
    {
        let whole = SVGBackend::with_string(&mut text, (width.max(600), PANEL.1 + LEGEND)).into_drawing_area();
        whole.fill(&WHITE).map_err(failed)?;
        let (top, bottom) = whole.split_vertically(PANEL.1);
        for (area, &kernel) in top.split_evenly((1, panels)).iter().zip(&kernels) {
            let rows: Vec<&Row> = rows.iter().filter(|row| row.kernel == kernel).collect();
            panel(area, kernel, &rows, highest)?;
        }
        legend(&bottom, kernels.contains(&Family::Linear))?;
        whole.present().map_err(failed)?;
    }
    Ok(text)
}

/// Mean and deviation.
fn percent(row: &Row) -> (f64, f64) {
    let (mean, deviation) = row.summary();
    (100.0 * mean, 100.0 * deviation)
}

fn panel(area: &Area<'_>, kernel: Family, rows: &[&Row], highest: f64) -> Result<()> {
    let last = FRACTIONS.len() - 1;
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{} kernel", kernel.as_str()), style(20))
        .margin(12)
        .x_label_area_size(38)
        .y_label_area_size(46)
        .build_cartesian_2d(-0.4..place(last) + 0.4, 0.0..1.12 * highest)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(PALE)
        .max_light_lines(0)
        .axis_style(INK)
        .x_labels(FRACTIONS.len())
        .x_label_formatter(&|&x| {
            FRACTIONS
                .iter()
                .zip(0..)
                .find(|&(_, i)| (x - f64::from(i)).abs() < 0.01)
                .map_or(String::new(), |(n, _)| format!("1/{n}"))
        })
        .y_label_formatter(&|y| format!("{y:.1}"))
        .x_desc("share of samples")
        .y_desc("equal error rate, %")
        .label_style(style(15))
        .axis_desc_style(style(16))
        .draw()
        .map_err(failed)?;
    for (number, (pictures, colour)) in (0..).zip(Pictures::ALL.into_iter().zip(COLOURS)) {
        // Side by side, so that equal points are all visible.
        let aside = 0.07 * (f64::from(number) - 1.5);
        let points: Vec<(f64, f64, f64)> = (rows.iter().filter(|row| row.pictures == pictures).enumerate())
            .map(|(i, row)| (place(i) + aside, percent(row)))
            .map(|(x, (mean, deviation))| (x, mean, deviation))
            .collect();
        let line = points.iter().map(|&(x, mean, _)| (x, mean));
        chart.draw_series(LineSeries::new(line, colour.stroke_width(1))).map_err(failed)?;
        let bars = points.iter().map(|&(x, mean, deviation)| {
            ErrorBar::new_vertical(x, (mean - deviation).max(0.0), mean, mean + deviation, colour.filled(), 7)
        });
        chart.draw_series(bars).map_err(failed)?;
    }
    if kernel == Family::Linear {
        let points = PAPER_LINEAR.iter().enumerate().map(|(i, &rate)| (place(i), 100.0 * rate));
        chart.draw_series(points.map(|point| Cross::new(point, 5, INK.stroke_width(2)))).map_err(failed)?;
    }
    Ok(())
}

/// The legend of the colours, in one line.
fn legend(area: &Area<'_>, paper: bool) -> Result<()> {
    let style = style(15).pos(Pos::new(HPos::Left, VPos::Center));
    let (mut x, y) = (24, i32::try_from(LEGEND / 2).unwrap_or(0) - 4);
    let write = |x: i32, text: &'static str| area.draw(&Text::new(text, (x + 26, y), style.clone())).map_err(failed);
    for (pictures, colour) in Pictures::ALL.into_iter().zip(COLOURS) {
        area.draw(&PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(1))).map_err(failed)?;
        area.draw(&Circle::new((x + 10, y), 3, colour.filled())).map_err(failed)?;
        write(x, pictures.as_str())?;
        x += 26 + 24 + 7 * i32::try_from(pictures.as_str().len()).unwrap_or(0);
    }
    if paper {
        area.draw(&Cross::new((x + 10, y), 5, INK.stroke_width(2))).map_err(failed)?;
        write(x, "the paper, one key")?;
    }
    Ok(())
}

/// The position on the axis of the fraction with this number.
#[expect(clippy::cast_precision_loss, reason = "there are four")]
fn place(number: usize) -> f64 {
    number as f64
}

fn style(size: u32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK).into_text_style(&(1, 1))
}

fn failed(error: impl Display) -> Error {
    Error::new(Code::Internal, format!("the plot could not be drawn: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rate_is_a_point_in_its_panel() {
        let rows = |kernel| {
            let row = move |(pictures, fraction)| Row { kernel, pictures, fraction, rates: vec![0.01, 0.03] };
            Pictures::ALL.into_iter().flat_map(|pictures| FRACTIONS.map(|fraction| (pictures, fraction))).map(row)
        };
        let one = svg(&rows(Family::Gaussian).collect::<Vec<_>>()).expect("a plot");
        let two = svg(&rows(Family::Linear).chain(rows(Family::Polynomial)).collect::<Vec<_>>()).expect("a plot");
        let points = Pictures::ALL.len() * FRACTIONS.len();
        let legend = Pictures::ALL.len();
        assert_eq!(one.matches("<circle").count(), points + legend);
        assert_eq!(two.matches("<circle").count(), 2 * points + legend);
        for text in ["linear kernel", "poly kernel", "the paper, one key", "scrambled, own keys", "1/80"] {
            assert!(two.contains(text), "{text}");
        }
        assert!(!one.contains("the paper") && one.contains("rbf kernel"));
        assert!(svg(&[]).expect("an empty plot").ends_with("</svg>\n"));
    }
}
