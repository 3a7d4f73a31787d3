//! A time of the week in which something may be done: `Sun 02:00-04:00`.

use std::fmt;
use std::str::FromStr;

/// Days as they are written, the first of the week first.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const DAY: u16 = 24 * 60;

/// A minute of a week, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// 0 is Monday.
    pub day: u8,
    /// Of the day.
    pub minute: u16,
}

impl Moment {
    /// Of seconds since 1970, which began on a Thursday.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        let day = (seconds / 86_400 + 3) % 7;
        let minute = seconds % 86_400 / 60;
        Self {
            day: u8::try_from(day).unwrap_or_default(),
            minute: u16::try_from(minute).unwrap_or_default(),
        }
    }
}

/// From one minute of some days to another, the second not included; past midnight where that is not later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    days: [bool; 7],
    from: u16,
    to: u16,
}

impl Window {
    #[must_use]
    pub fn contains(&self, moment: Moment) -> bool {
        let day = usize::from(moment.day) % 7;
        let began = |day: usize| self.days[day];
        if self.from < self.to {
            return began(day) && (self.from..self.to).contains(&moment.minute);
        }
        // It goes on into the next day.
        began(day) && moment.minute >= self.from || began((day + 6) % 7) && moment.minute < self.to
    }
}

/// Why a text is no window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAWindow(&'static str);

impl fmt::Display for NotAWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for Window {
    type Err = NotAWindow;

    fn from_str(text: &str) -> Result<Self, NotAWindow> {
        let (days, hours) = match text.trim().rsplit_once(' ') {
            Some((days, hours)) => (self::days(days.trim())?, hours),
            None => ([true; 7], text.trim()),
        };
        let (from, to) = hours
            .split_once('-')
            .ok_or(NotAWindow("it has no times as in 02:00-04:00"))?;
        let (from, to) = (minute(from)?, minute(to)?);
        match to {
            to if from == to => Err(NotAWindow("it ends when it begins")),
            to => Ok(Self { days, from, to }),
        }
    }
}

/// `Sun`, `Sat,Sun`, `Mon-Fri`.
fn days(text: &str) -> Result<[bool; 7], NotAWindow> {
    let unknown = NotAWindow("its days are not of Mon, Tue, Wed, Thu, Fri, Sat and Sun");
    let place = |word: &str| {
        DAYS.iter()
            .position(|day| *day == word)
            .ok_or(unknown.clone())
    };
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = match part.trim().split_once('-') {
            Some((first, last)) => (place(first)?, place(last)?),
            None => (place(part.trim())?, place(part.trim())?),
        };
        let length = (last + 7 - first) % 7;
        (0..=length).for_each(|n| days[(first + n) % 7] = true);
    }
    Ok(days)
}

fn minute(text: &str) -> Result<u16, NotAWindow> {
    let wrong = NotAWindow("its times are not written as 02:00");
    let (hours, minutes) = text.split_once(':').ok_or(wrong.clone())?;
    let number = |text: &str, most: u16| {
        let number: Option<u16> = text.parse().ok().filter(|n| *n <= most);
        number.filter(|_| text.len() == 2).ok_or(wrong.clone())
    };
    let minute = number(hours, 24)? * 60 + number(minutes, 59)?;
    match minute {
        0..=DAY => Ok(minute),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(window: &str, day: u8, hour: u16, minute: u16) -> bool {
        let minute = hour * 60 + minute;
        window
            .parse::<Window>()
            .unwrap()
            .contains(Moment { day, minute })
    }

    #[test]
    fn a_window_has_its_days_and_its_hours() {
        assert!(is_in("Sun 02:00-04:00", 6, 2, 0));
        assert!(is_in("Sun 02:00-04:00", 6, 3, 59));
        assert!(!is_in("Sun 02:00-04:00", 6, 4, 0));
        assert!(!is_in("Sun 02:00-04:00", 0, 3, 0));
        assert!(is_in("02:00-04:00", 3, 3, 0));
        assert!(is_in("Mon-Fri,Sun 00:00-24:00", 4, 23, 59));
        assert!(!is_in("Mon-Fri,Sun 00:00-24:00", 5, 12, 0));
    }

    #[test]
    fn past_midnight_it_is_the_day_before_that_counts() {
        assert!(is_in("Sat 22:00-06:00", 5, 23, 0));
        assert!(is_in("Sat 22:00-06:00", 6, 5, 59));
        assert!(!is_in("Sat 22:00-06:00", 5, 5, 0));
        assert!(!is_in("Sat 22:00-06:00", 6, 23, 0));
        assert!(is_in("Sun 22:00-06:00", 0, 1, 0));
        assert!(is_in("Fri-Mon 01:00-02:00", 6, 1, 0));
    }

    #[test]
    fn other_texts_are_none_and_say_why() {
        let why = |text: &str| text.parse::<Window>().unwrap_err().to_string();
        assert!(why("Son 02:00-04:00").contains("its days"));
        assert!(why("Sun").contains("no times"));
        assert!(why("2:00-04:00").contains("written as 02:00"));
        assert!(why("02:00-25:00").contains("written as 02:00"));
        assert!(why("02:00-24:30").contains("written as 02:00"));
        assert!(why("02:00-02:00").contains("ends when it begins"));
        assert!(why("").contains("no times"));
    }

    #[test]
    fn the_first_second_of_1970_was_on_a_thursday() {
        assert_eq!(Moment::at(0), Moment { day: 3, minute: 0 });
        // 2026-11-25T17:54:00Z, a Wednesday.
        let moment = Moment::at(1_795_629_240);
        assert_eq!(
            moment,
            Moment {
                day: 2,
                minute: 17 * 60 + 54
            }
        );
    }
}
