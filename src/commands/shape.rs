//! How the files of other systems are to be read: the flags that `ingest` and `refresh` share.

use clap::Args;

use super::Failure;
use domain::error::Coded;
use domain::zone::Zone;
use events::columns::fields_of;
use events::mapping::Renames;
use events::presets::Preset;
use events::request::InputKind;

/// How to read the files
#[derive(Args, Clone, Default)]
pub(super) struct ShapeArguments {
    /// Read a known export: its columns, names of events and zone; see the list below
    #[arg(long, value_name = "NAME")]
    pub(super) preset: Option<String>,
    /// Your column names for ours, e.g. event_type=event,item_id=content_id; a|b=user_id takes b where a is empty,
    /// context.timezone=time_zone looks inside, '"Amount, USD"=value' quotes a name
    #[arg(long, value_name = "THEIRS=OURS,…")]
    pub(super) map: Vec<String>,
    /// Your event names for ours, e.g. 'Order Completed=purchase'; =other says that it is not the user's own act, =own that it is
    #[arg(long, value_name = "THEIRS=OURS,…")]
    pub(super) map_event: Vec<String>,
    /// A value for every record, e.g. event=rating for files without an event column
    #[arg(long, value_name = "FIELD=VALUE,…")]
    pub(super) set: Vec<String>,
    /// Column names of a CSV file without a header line; its first line is read as a record
    #[arg(long, value_name = "A,B,…")]
    pub(super) header: Option<String>,
    /// IANA zone in which stamps without an offset, and bare dates, are read; without it they are rejected
    #[arg(long, value_name = "ZONE")]
    pub(super) time_zone: Option<String>,
}

impl ShapeArguments {
    /// The mapping, and how naive stamps are read.
    pub(super) fn shape(&self, kind: InputKind) -> Result<(Renames, Option<Zone>), Failure> {
        let fields = fields_of(kind);
        let bad = |code: &'static str, flag: &str| {
            let flag = flag.to_string();
            move |detail: String| Failure::caller(code, format!("{flag}: {detail}"))
        };
        let mut renames = Renames::parse(&self.map.join(","), fields).map_err(bad("bad_map", "--map"))?;
        renames = renames.set(&self.set.join(","), fields).map_err(bad("bad_set", "--set"))?;
        if let Some(header) = &self.header {
            renames = renames.header(header).map_err(bad("bad_header", "--header"))?;
        }
        if kind != InputKind::Events && (self.preset.is_some() || !self.map_event.is_empty()) {
            let detail = format!("--preset and --map-event read events, not {}", kind.as_str());
            return Err(Failure::caller("bad_map", detail));
        }
        renames = renames.events(&self.map_event.join(",")).map_err(bad("bad_map_event", "--map-event"))?;
        let preset = self.preset.as_deref().map(Preset::find).transpose();
        let preset = preset.map_err(bad("unknown_preset", "--preset"))?;
        if let Some(preset) = preset {
            renames = renames.preset(preset);
        }
        let zone = self.time_zone.as_deref().or(preset.and_then(|preset| preset.time_zone.as_deref()));
        let zone = zone.map(Zone::find_as_written).transpose();
        let zone =
            zone.map_err(|error| Failure::caller(error.code(), format!("--time-zone: {}", error.detail())))?;
        Ok((renames, zone))
    }
}

/// The presets with the exports that they read, one a line.
pub(super) fn presets() -> String {
    Preset::all().iter().map(|preset| format!("  {:<13} {}\n", preset.name, preset.about)).collect()
}
