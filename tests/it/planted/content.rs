//! Contents with planted categories, popularity and quality.

use jiff::Timestamp;

use crate::support::draws::Draws;

/// A category and how many readers like it best.
#[derive(Clone, Copy)]
pub(crate) struct Category {
    pub(crate) name: &'static str,
    pub(crate) likers: f64,
    tags: [&'static str; 3],
}

const fn category(name: &'static str, likers: f64, tags: [&'static str; 3]) -> Category {
    Category { name, likers, tags }
}

/// All categories; some are liked by many, some by few.
pub(crate) const CATEGORIES: [Category; 12] = [
    category("politics", 1.6, ["election", "parliament", "opinion"]),
    category("football", 1.5, ["league", "cup", "transfer"]),
    category("cooking", 1.3, ["dinner", "baking", "vegan"]),
    category("travel", 1.1, ["city", "beach", "train"]),
    category("film", 1.0, ["series", "cinema", "review"]),
    category("technology", 1.0, ["phone", "software", "science-fiction"]),
    category("science", 0.9, ["space", "medicine", "climate"]),
    category("money", 0.8, ["shares", "tax", "housing"]),
    category("fashion", 0.8, ["shoes", "outlet", "trends"]),
    category("gardening", 0.7, ["balcony", "seeds", "tools"]),
    category("music", 0.7, ["concert", "vinyl", "interview"]),
    category("chess", 0.6, ["opening", "endgame", "tournament"]),
];

/// Contents of each category that have events, and that are fresh.
const OLDER: usize = 25;
const FRESH: usize = 1;

/// A content and what is true of it.
pub(crate) struct Content {
    pub(crate) content_id: String,
    pub(crate) category: usize,
    pub(crate) tags: Vec<&'static str>,
    pub(crate) published_at: Timestamp,
    /// How often it is read, beside others of its category.
    pub(crate) popularity: f64,
    /// The probability that a usual reader who likes its category taps a push of it at their best hour, halved.
    pub(crate) quality: f64,
    /// Published in the last day, and never seen.
    pub(crate) fresh: bool,
}

impl Content {
    /// All contents of a world that ends at a moment.
    pub(crate) fn plant_all(end: Timestamp, days: i64, draws: &mut Draws) -> Vec<Content> {
        let of = |category| (0..OLDER + FRESH).map(move |rank| (category, rank));
        let places: Vec<(usize, usize)> = (0..CATEGORIES.len()).flat_map(of).collect();
        places.into_iter().map(|(category, rank)| plant(category, rank, end, days, draws)).collect()
    }
}

fn plant(category: usize, rank: usize, end: Timestamp, days: i64, draws: &mut Draws) -> Content {
    let fresh = rank >= OLDER;
    let hours_before = match rank {
        _ if fresh => draws.between(2.0, 22.0),
        // A third was there before anybody read anything.
        _ if rank < OLDER / 3 => draws.between(200.0, 300.0) * 24.0,
        _ => draws.between(2.0, days as f64) * 24.0,
    };
    let name = CATEGORIES[category].name;
    let tags = CATEGORIES[category].tags.into_iter().filter(|_| draws.uniform() < 0.5).collect();
    Content {
        content_id: if fresh { format!("fresh-{name}") } else { format!("{name}-{rank:02}") },
        category,
        tags,
        published_at: end - jiff::SignedDuration::from_secs((hours_before * 3600.0) as i64),
        popularity: 1.0 / (1.0 + draws.between(0.0, OLDER as f64)).powf(0.8),
        quality: (draws.between(0.04_f64.ln(), 0.40_f64.ln())).exp(),
        fresh,
    }
}
