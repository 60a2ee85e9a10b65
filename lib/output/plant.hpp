// Layer output. The threads, and what they share.
//
//   dispatcher  waits for pipes and orders, never for a disk; finds what is held up
//   workers     give one log after the other its turn; the only ones that wait for disks
//   relief      empties the pipes of logs whose worker is held up, or that get none; waits for no disk
//
// A log is in one place at a time: at rest, in the queue, or with one worker. The streams of a log are served
// by whoever has the log, in the order of their attachment.
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "output/desk.hpp"
#include "output/last_words.hpp"
#include "output/mover.hpp"
#include "output/stream.hpp"

namespace vigil::output {

/// Lives as long as its last thread. All descriptors here are of the threads' table, so it is made and
/// destroyed by them.
class Plant : public std::enable_shared_from_this<Plant> {
  public:
    /// The dispatcher: returns at the end. `begun` is told when the threads run, or why not.
    static void run(const std::shared_ptr<Desk>& desk, std::promise<Result<void>> begun);

    explicit Plant(std::shared_ptr<Desk> desk);
    Plant(const Plant&) = delete;
    Plant& operator=(const Plant&) = delete;

  private:
    using TimePoint = core::TimePoint;
    using LogPtr = std::shared_ptr<Log>;
    using StreamPtr = std::shared_ptr<Stream>;

    /// What the scheduler knows of a log. Under mutex_, as is all that follows.
    struct Seat {
        LogPtr log;
        core::SpecPtr spec;
        std::vector<StreamPtr> streams;
        bool queued = false;
        bool running = false;
        bool again = false;      ///< something came during its turn
        bool abandoned = false;  ///< its task is forgotten: nothing is kept for another run
        bool relieved = false;   ///< the relief takes what comes
        bool in_relief = false;  ///< and will look again
        TimePoint queued_at{};
        TimePoint due = core::kNever;
    };
    struct Worker {
        std::thread thread;
        Log* log = nullptr;  ///< whose turn it is
        bool gone = false;
    };
    struct TaskLogs {
        std::shared_ptr<TallyCell> cell;
        LogPtr logs[2];  ///< by stream; kept between runs
    };
    using RunKey = std::pair<core::TaskId, core::Generation>;

    // plant.cpp: the dispatcher.
    [[nodiscard]] Result<void> set_up();
    void dispatch();
    void handle_ready(std::uint64_t serial);
    void enqueue(Seat& seat);
    void set_due(Seat& seat, TimePoint due);
    [[nodiscard]] int tick();
    void wind_up();
    void leave(Seat& seat);
    void say(bool fault, std::string text);

    // plant_orders.cpp: what the callers want of it.
    void handle_orders();
    void attach(Order& order);
    void finish(const Order& order);
    void forget(const Order& order);
    void rest();
    [[nodiscard]] UniqueFd receive_pipe();
    void watch(const Stream& stream);
    void show(std::uint64_t after);
    [[nodiscard]] bool show_one(const Stream& stream) const;
    [[nodiscard]] LogPtr log_for(const Source& source, TaskLogs& logs);
    [[nodiscard]] bool has_run(core::TaskId task, const std::shared_ptr<TallyCell>& cell) const;
    [[nodiscard]] std::string claim(Log& log);

    // plant_threads.cpp: the workers.
    [[nodiscard]] Result<void> start_worker();
    void work(Worker& self, Mover& mover);
    void take_turn(Mover& mover, Log& log, const core::SpecPtr& spec, const std::vector<StreamPtr>& streams);
    void serve(Mover& mover, Log& log, Stream& stream);
    void end_turn(Seat& seat, std::unique_lock<std::mutex>& lock);
    void watch_again(Stream& stream) const;
    void close_pipe(Stream& stream);
    void tell_end(Stream& stream, std::vector<std::string> last_words);
    void run_over(const Run& run);

    // plant_relief.cpp
    void look_for_held_up(TimePoint now);
    void send_relief(Seat& seat);
    void relieve_all(Worker& self);
    void relieve(Log& log, const std::vector<StreamPtr>& streams, std::string& buffer);
    [[nodiscard]] bool start_relief();

    const std::shared_ptr<Desk> desk_;
    UniqueFd orders_;
    std::deque<UniqueFd> received_;  ///< that came with the one that was asked for
    UniqueFd wake_;
    UniqueFd news_;
    UniqueFd epoll_;
    PipeBudget pipe_budget_;
    LogSurroundings surroundings_;

    std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable relief_work_;
    std::condition_variable rest_;  // a worker has ended a turn, or itself
    std::deque<LogPtr> queue_;
    std::deque<LogPtr> relief_queue_;
    std::unordered_map<const Log*, Seat> seats_;  // of logs with streams, or with something due
    std::map<std::uint64_t, StreamPtr> streams_;
    std::unordered_map<std::string, std::weak_ptr<Log>> by_path_;
    std::unordered_map<core::TaskId, TaskLogs> tasks_;
    std::map<RunKey, std::shared_ptr<Run>> runs_;
    std::set<std::pair<TimePoint, Log*>> due_;
    std::vector<std::unique_ptr<Worker>> workers_;
    unsigned idle_ = 0;
    bool start_one_more_ = false;
    std::unique_ptr<Worker> relief_;
    std::uint64_t last_serial_ = 0;
    bool stopping_ = false;  // no pipe is watched any more
    bool quit_ = false;
    bool resting_ = false;    // no turn is begun
    bool relieving_ = false;  // the relief is at a log
};

}  // namespace vigil::output
