//! The eight named rhythms: parts of the day, of weekdays and of weekends, in which some come more than others do.

/// A part of the week by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rhythm {
    /// Monday to Friday, 05:00 to 12:00.
    WeekdayMornings,
    /// Monday to Friday, 12:00 to 17:00.
    WeekdayAfternoons,
    /// Monday to Friday, 17:00 to 22:00.
    WeekdayEvenings,
    /// Monday to Friday, before 05:00 and from 22:00 on.
    WeekdayNights,
    /// Saturday and Sunday, 05:00 to 12:00.
    WeekendMornings,
    /// Saturday and Sunday, 12:00 to 17:00.
    WeekendAfternoons,
    /// Saturday and Sunday, 17:00 to 22:00.
    WeekendEvenings,
    /// Saturday and Sunday, before 05:00 and from 22:00 on.
    WeekendNights,
}

impl Rhythm {
    /// All of them, in the order of the week.
    pub const ALL: [Rhythm; 8] = [
        Rhythm::WeekdayMornings,
        Rhythm::WeekdayAfternoons,
        Rhythm::WeekdayEvenings,
        Rhythm::WeekdayNights,
        Rhythm::WeekendMornings,
        Rhythm::WeekendAfternoons,
        Rhythm::WeekendEvenings,
        Rhythm::WeekendNights,
    ];

    /// The words used in tables and segments.
    pub const fn as_str(self) -> &'static str {
        match self {
            Rhythm::WeekdayMornings => "weekday mornings",
            Rhythm::WeekdayAfternoons => "weekday afternoons",
            Rhythm::WeekdayEvenings => "weekday evenings",
            Rhythm::WeekdayNights => "weekday nights",
            Rhythm::WeekendMornings => "weekend mornings",
            Rhythm::WeekendAfternoons => "weekend afternoons",
            Rhythm::WeekendEvenings => "weekend evenings",
            Rhythm::WeekendNights => "weekend nights",
        }
    }

    /// The part of the week that an hour of the week (0 = Monday 00:00) belongs to.
    pub const fn of_hour(hour_of_week: usize) -> Rhythm {
        let is_weekend = hour_of_week / 24 >= 5;
        match (hour_of_week % 24, is_weekend) {
            (5..=11, false) => Rhythm::WeekdayMornings,
            (12..=16, false) => Rhythm::WeekdayAfternoons,
            (17..=21, false) => Rhythm::WeekdayEvenings,
            (_, false) => Rhythm::WeekdayNights,
            (5..=11, true) => Rhythm::WeekendMornings,
            (12..=16, true) => Rhythm::WeekendAfternoons,
            (17..=21, true) => Rhythm::WeekendEvenings,
            (_, true) => Rhythm::WeekendNights,
        }
    }
}
