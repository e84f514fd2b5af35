//! `smartpush config check`: are the settings usable, and what are they?

use super::{Context, Failure, output};

/// Check the settings and print them
#[derive(clap::Args)]
pub(super) struct ConfigArguments {
    #[command(subcommand)]
    action: ConfigAction,
}

#[derive(clap::Subcommand)]
enum ConfigAction {
    /// Read defaults, file and environment; exit 2 with the key when a setting cannot be used
    Check,
}

pub(super) fn run(context: &Context, arguments: &ConfigArguments) -> Result<(), Failure> {
    match arguments.action {
        // Reading the settings was the check: a bad one never comes this far.
        ConfigAction::Check if context.json => {
            output::print_json(&serde_json::to_value(&context.config).map_err(Failure::ours)?);
        }
        ConfigAction::Check => output::print_text(&toml::to_string(&context.config).map_err(Failure::ours)?),
    }
    Ok(())
}
