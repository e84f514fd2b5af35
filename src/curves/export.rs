//! Curves as frames: long (one row an hour), best (one row a user), wide (one column an hour).

use polars::prelude::*;

use super::SendTimeModel;
use super::population::Population;
use domain::curve::SendTimeCurve;
use domain::time::HOURS_OF_WEEK;

/// Users of one frame; 168 rows each keep a frame near a row group.
const BLOCK: usize = 768;

/// How curves are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// 168 rows a user.
    Long,
    /// One row a user: his best hours.
    Best,
    /// One row a user, one column an hour of the week.
    Wide,
}

/// Frames of a population's curves, sorted by user, a block of users at a time.
pub struct CurveFrames<'a> {
    model: &'a SendTimeModel,
    population: &'a Population,
    layout: Layout,
    next: usize,
}

impl<'a> CurveFrames<'a> {
    /// The curves of all users of a population that the model was fitted on.
    pub fn new(model: &'a SendTimeModel, population: &'a Population, layout: Layout) -> CurveFrames<'a> {
        CurveFrames { model, population, layout, next: 0 }
    }

    /// Users done, of how many.
    pub fn progress(&self) -> (usize, usize) {
        (self.next, self.population.ids.len())
    }

    /// The next block, or `None` after the last.
    pub fn next_frame(&mut self) -> PolarsResult<Option<DataFrame>> {
        let (start, end) = (self.next, (self.next + BLOCK).min(self.population.ids.len()));
        if start == end {
            return Ok(None);
        }
        self.next = end;
        let curves = parallel::map(end - start, |index| {
            self.model.curve(start + index, &self.population.histories[start + index])
        });
        let block = CurveBlock {
            ids: &self.population.ids[start..end],
            zones: &self.population.zones[start..end],
            curves,
        };
        Ok(Some(match self.layout {
            Layout::Long => block.long()?,
            Layout::Best => block.best()?,
            Layout::Wide => block.wide()?,
        }))
    }
}

struct CurveBlock<'a> {
    ids: &'a [String],
    zones: &'a [String],
    curves: Vec<SendTimeCurve>,
}

impl CurveBlock<'_> {
    fn long(&self) -> PolarsResult<DataFrame> {
        let rows = self.curves.len() * HOURS_OF_WEEK;
        let each = |get: fn(&SendTimeCurve) -> &[f64; HOURS_OF_WEEK]| -> Vec<f64> {
            self.curves.iter().flat_map(|curve| get(curve).iter().copied()).collect()
        };
        let repeat = |get: fn(&SendTimeCurve) -> f64| -> Vec<f64> {
            self.curves.iter().flat_map(|curve| std::iter::repeat_n(get(curve), HOURS_OF_WEEK)).collect()
        };
        let ids = self.ids.iter().flat_map(|id| std::iter::repeat_n(id.as_str(), HOURS_OF_WEEK));
        let hours: Vec<i32> = (0..rows).map(|row| (row % HOURS_OF_WEEK) as i32).collect();
        let levels =
            self.curves.iter().flat_map(|curve| std::iter::repeat_n(curve.level.as_str(), HOURS_OF_WEEK));
        DataFrame::new(
            rows,
            vec![
                StringChunked::from_iter_values("user_id".into(), ids).into_column(),
                Int32Chunked::from_vec("hour_of_week".into(), hours).into_column(),
                numbers("probability", each(|curve| &curve.probability)),
                numbers("low", each(|curve| &curve.low)),
                numbers("high", each(|curve| &curve.high)),
                numbers("evidence", repeat(|curve| curve.evidence)),
                numbers("shrinkage", repeat(|curve| curve.shrinkage)),
                StringChunked::from_iter_values("level".into(), levels).into_column(),
            ],
        )
    }

    fn best(&self) -> PolarsResult<DataFrame> {
        let at_best = |get: fn(&SendTimeCurve) -> &[f64; HOURS_OF_WEEK]| {
            self.curves.iter().map(|curve| get(curve)[curve.best_hour_of_week()]).collect()
        };
        let whole = |name: &str, get: fn(&SendTimeCurve) -> usize| {
            let values = self.curves.iter().map(|curve| get(curve) as i32).collect();
            Int32Chunked::from_vec(name.into(), values).into_column()
        };
        let day = |curve: &SendTimeCurve| curve.by_hour_of_day()[curve.best_hour_of_day()];
        let mut columns = vec![
            self.texts("user_id", self.ids),
            self.texts("time_zone", self.zones),
            whole("best_hour_of_day", SendTimeCurve::best_hour_of_day),
            numbers("probability_of_hour_of_day", self.curves.iter().map(day).collect()),
            whole("best_hour_of_week", SendTimeCurve::best_hour_of_week),
            numbers("probability", at_best(|curve| &curve.probability)),
            numbers("low", at_best(|curve| &curve.low)),
            numbers("high", at_best(|curve| &curve.high)),
        ];
        columns.extend(self.evidence());
        DataFrame::new(self.curves.len(), columns)
    }

    fn wide(&self) -> PolarsResult<DataFrame> {
        let mut columns = vec![self.texts("user_id", self.ids)];
        columns.extend((0..HOURS_OF_WEEK).map(|slot| {
            numbers(&format!("h{slot:03}"), self.curves.iter().map(|curve| curve.probability[slot]).collect())
        }));
        columns.extend(self.evidence());
        DataFrame::new(self.curves.len(), columns)
    }

    fn evidence(&self) -> [Column; 3] {
        let levels = self.curves.iter().map(|curve| curve.level.as_str());
        [
            numbers("evidence", self.curves.iter().map(|curve| curve.evidence).collect()),
            numbers("shrinkage", self.curves.iter().map(|curve| curve.shrinkage).collect()),
            StringChunked::from_iter_values("level".into(), levels).into_column(),
        ]
    }

    fn texts(&self, name: &str, values: &[String]) -> Column {
        StringChunked::from_iter_values(name.into(), values.iter().map(String::as_str)).into_column()
    }
}

fn numbers(name: &str, values: Vec<f64>) -> Column {
    Float64Chunked::from_vec(name.into(), values).into_column()
}
