//! The loop: each day a policy learns, decides for every person, and meets what comes of it.

use super::Stage;
use super::game::{Game, Play};
use super::policies::{PlayError, Player, PushChoice};
use super::truth::Push;

/// Lets a policy play that needs no workspace.
///
/// `watch` hears of each day that is over: so many of so many. The same stage gives the same play on any number of threads.
///
/// # Errors
/// When there is no model to be learned.
pub fn play(stage: &Stage, mut player: Player, watch: &impl Fn(usize, usize)) -> Result<Play, PlayError> {
    let people = stage.world.people.len();
    let mut game = Game::begin(stage, player.policy(), people);
    game.live_the_past(|push, answer| {
        if answer.is_clicked {
            player.record_past(push);
        }
    });
    for day in 0..stage.world.days() {
        player.begin_day(stage, day)?;
        let memories = game.memories();
        let choices = parallel::map(people, |user| {
            let memory = &memories[user];
            if memory.is_lost { None } else { player.choose(stage, user, day, memory) }
        });
        let choices: Vec<PushChoice> = choices.into_iter().flatten().collect();
        let pushes: Vec<Push> = choices.iter().map(|choice| choice.push).collect();
        for (choice, answer) in choices.iter().zip(game.send(day, &pushes)) {
            player.record(choice, answer);
        }
        watch(day as usize + 1, stage.world.days() as usize);
    }
    Ok(game.finish(player.model()))
}
