// Every (state, event) pair by name. A row without all eight cells, and an event without a row, do not
// compile.
#include <type_traits>
#include <utility>

#include "core/task.hpp"

namespace vigil::core {

template <typename E>
struct Task::Row {
    constexpr Row(Handler<E> created, Handler<E> starting, Handler<E> healthy, Handler<E> stopping,
                  Handler<E> failed, Handler<E> completed, Handler<E> stopped, Handler<E> dead)
        : cells{created, starting, healthy, stopping, failed, completed, stopped, dead} {}
    Handler<E> cells[std::variant_size_v<State>];
};

// clang-format off

//                       created              starting                 healthy                  stopping
//                       failed               completed                stopped                  dead
template <> struct Task::Cells<event::Start> { static constexpr Row<event::Start> row{
                         &Task::start,        &Task::done_already,     &Task::done_already,     &Task::start_after_stop,
                         &Task::start,        &Task::start,            &Task::start,            &Task::start}; };
template <> struct Task::Cells<event::Stop> { static constexpr Row<event::Stop> row{
                         &Task::end_idle,     &Task::end_run,          &Task::end_run,          &Task::end_sooner,
                         &Task::end_idle,     &Task::done_already,     &Task::done_already,     &Task::done_already}; };
template <> struct Task::Cells<event::Restart> { static constexpr Row<event::Restart> row{
                         &Task::start,        &Task::restart_run,      &Task::restart_run,      &Task::restart_after_stop,
                         &Task::start,        &Task::start,            &Task::start,            &Task::start}; };
template <> struct Task::Cells<event::Kill> { static constexpr Row<event::Kill> row{
                         &Task::end_idle,     &Task::end_run,          &Task::end_run,          &Task::end_sooner,
                         &Task::end_idle,     &Task::end_idle,         &Task::end_idle,         &Task::done_already}; };
template <> struct Task::Cells<event::Remove> { static constexpr Row<event::Remove> row{
                         &Task::end_idle,     &Task::end_run,          &Task::end_run,          &Task::end_sooner,
                         &Task::end_idle,     &Task::end_idle,         &Task::end_idle,         &Task::end_idle}; };
template <> struct Task::Cells<event::Pause> { static constexpr Row<event::Pause> row{
                         &Task::no_process,   &Task::pause,            &Task::pause,            &Task::pause,
                         &Task::no_process,   &Task::no_process,       &Task::no_process,       &Task::no_process}; };
template <> struct Task::Cells<event::Resume> { static constexpr Row<event::Resume> row{
                         &Task::no_process,   &Task::resume,           &Task::resume,           &Task::resume,
                         &Task::no_process,   &Task::no_process,       &Task::no_process,       &Task::no_process}; };

template <> struct Task::Cells<event::NewSpec> { static constexpr Row<event::NewSpec> row{
                         &Task::respec_created, &Task::respec_run,     &Task::respec_run,       &Task::respec_stopping,
                         &Task::respec_failed, &Task::respec_idle,     &Task::respec_idle,      &Task::respec_idle}; };

template <> struct Task::Cells<event::Spawned> { static constexpr Row<event::Spawned> row{
                         &Task::no_process,   &Task::came_up,          &Task::answered_already, &Task::came_up_late,
                         &Task::no_process,   &Task::no_process,       &Task::no_process,       &Task::no_process}; };
template <> struct Task::Cells<event::SpawnFailed> { static constexpr Row<event::SpawnFailed> row{
                         &Task::no_process,   &Task::not_made,         &Task::answered_already, &Task::not_made_late,
                         &Task::no_process,   &Task::no_process,       &Task::no_process,       &Task::no_process}; };
template <> struct Task::Cells<event::Exited> { static constexpr Row<event::Exited> row{
                         &Task::no_process,   &Task::main_ended,       &Task::main_ended,       &Task::main_ended_stopping,
                         &Task::no_process,   &Task::no_process,       &Task::no_process,       &Task::no_process}; };
template <> struct Task::Cells<event::StopCommandEnded> { static constexpr Row<event::StopCommandEnded> row{
                         &Task::no_process,   &Task::not_stopping,     &Task::not_stopping,     &Task::stop_command_ended,
                         &Task::no_process,   &Task::no_process,       &Task::no_process,       &Task::no_process}; };
template <> struct Task::Cells<event::TreeEmpty> { static constexpr Row<event::TreeEmpty> row{
                         &Task::no_process,   &Task::tree_vanished,    &Task::tree_vanished,    &Task::tree_emptied,
                         &Task::no_process,   &Task::no_process,       &Task::no_process,       &Task::no_process}; };
template <> struct Task::Cells<event::Notified> { static constexpr Row<event::Notified> row{
                         &Task::no_process,   &Task::notified_starting, &Task::notified_healthy, &Task::notified_stopping,
                         &Task::no_process,   &Task::no_process,       &Task::no_process,       &Task::no_process}; };

template <> struct Task::Cells<event::DeadlinePassed> { static constexpr Row<event::DeadlinePassed> row{
                         &Task::no_deadline,  &Task::ready_overdue,    &Task::beat_overdue,     &Task::kill_overdue,
                         &Task::restart_due,  &Task::no_deadline,      &Task::no_deadline,      &Task::no_deadline}; };
template <> struct Task::Cells<event::TurnCame> { static constexpr Row<event::TurnCame> row{
                         &Task::start_in_turn, &Task::not_waiting,     &Task::not_waiting,      &Task::not_waiting,
                         &Task::start_in_turn, &Task::not_waiting,     &Task::not_waiting,      &Task::not_waiting}; };

template <> struct Task::Cells<event::TakenOver> { static constexpr Row<event::TakenOver> row{
                         &Task::go_on_idle,   &Task::go_on_starting,   &Task::go_on_healthy,    &Task::go_on_stopping,
                         &Task::go_on_idle,   &Task::go_on_idle,       &Task::go_on_idle,       &Task::go_on_idle}; };

// clang-format on

template <typename E>
void Task::handle(E event, Turn& turn) {
    if constexpr (requires { event.generation; }) {
        const Run* present = run();
        if (present == nullptr || present->generation != event.generation) return;
    }
    settle_stability(turn.now);
    const Handler<E> handler = Cells<E>::row.cells[state_.index()];
    (this->*handler)(event, turn);
}

template void Task::handle(event::DeadlinePassed, Turn&);
template void Task::handle(event::TurnCame, Turn&);
template void Task::handle(event::TakenOver, Turn&);

void Task::handle(Event event, Turn& turn) {
    std::visit([&](auto& known) { handle<std::remove_cvref_t<decltype(known)>>(std::move(known), turn); },
               event);
}

}  // namespace vigil::core
