//! What models learn and score from, read from a workspace: events and declarations in memory.

use std::sync::Arc;

use super::inputs::Sources;
use super::timeline::Timeline;
use config::ProfilesConfig;
use domain::time::Instant;
use events::catalogue::Catalogue;
use events::lake::Lake;
use files::workspace::Workspace;
use profiles::ProfileError;
use profiles::declared::Declared;

/// Events before a moment, and all declarations.
#[derive(Clone, Debug)]
pub struct Material {
    /// Events count that lie before this.
    pub as_of: Instant,
    /// Declarations that profiles need.
    pub declared: Declared,
    /// Declared users, contents, campaigns; a server's snapshots share them.
    pub catalogue: Arc<Catalogue>,
    /// The events.
    pub timeline: Timeline,
    default_time_zone: String,
}

impl Material {
    /// Reads a workspace. There may be no event: what is then asked of it says so.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn read(
        workspace: &Workspace,
        lake: &Lake,
        default_time_zone: &str,
        as_of: Instant,
        watch: &impl Fn(usize, usize),
    ) -> Result<Material, ProfileError> {
        let declared = Declared::read(workspace, default_time_zone)?;
        let catalogue = Arc::new(Catalogue::read(workspace)?);
        let timeline = Timeline::read(lake, &declared, as_of, watch)?;
        Ok(Material {
            as_of,
            declared,
            catalogue,
            timeline,
            default_time_zone: default_time_zone.to_string(),
        })
    }

    /// What inputs are computed from, with these half-lives and the like.
    pub fn sources<'a>(&'a self, profiles: &'a ProfilesConfig) -> Sources<'a> {
        Sources {
            timeline: &self.timeline,
            declared: &self.declared,
            catalogue: &self.catalogue,
            profiles,
            default_time_zone: &self.default_time_zone,
        }
    }
}
