// Layer output. Where the callers of a Collector and its threads meet: orders in, reports out. No descriptor
// here belongs to the table of the threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "output/collector.hpp"
#include "output/tally_cell.hpp"

namespace vigil::output {

struct Order {
    enum class Kind : std::uint8_t { attach, finish, forget, reopen, show, rest, go_on, stop };
    Kind kind = Kind::stop;
    core::TaskId task{};
    core::Generation generation{};
    Source source{};  ///< of an attach; its pipe comes over the socket, in the order of the orders
    std::shared_ptr<TallyCell> cell{};  ///< of an attach and a forget
    std::uint64_t after = 0;            ///< of a show
};

/// Thread-safe.
class Desk {
  public:
    [[nodiscard]] static Result<std::shared_ptr<Desk>> create(CollectorOptions options);

    // For callers.
    [[nodiscard]] Result<void> attach(Source source);
    void hold(bool held);
    void order(Order::Kind kind, core::TaskId task = {}, core::Generation generation = {});
    void show_pipes(std::uint64_t after);
    [[nodiscard]] Tally tally(core::TaskId task) const;
    void take_news(News& out);
    [[nodiscard]] int readable_fd() const noexcept { return news_.get(); }
    /// Waits until no thread moves anything, nor will before go_on(); false where that took too long.
    [[nodiscard]] bool rest(std::chrono::milliseconds limit);
    void go_on();
    /// Waits until the threads have ended, or those that can; false where that took too long.
    [[nodiscard]] bool wait_for_end(std::chrono::milliseconds limit);
    /// Closes the callers' descriptors, so it is for a thread of theirs.
    void close();

    // For the threads, which hold descriptors of their own for what they are to be woken and to wake by.
    struct Ends {
        int orders = -1;  ///< the other end of the socket, for pipes in both directions
        int wake = -1;
        int news = -1;
    };
    [[nodiscard]] Ends ends() const noexcept { return {socket_theirs_.get(), wake_.get(), news_.get()}; }
    /// The threads have taken their copies.
    void close_theirs() { socket_theirs_.reset(); }
    [[nodiscard]] std::deque<Order> take_orders();
    /// All leave it to the caller to write to Ends::news.
    void post(LastWords words);
    void post(Message message);
    void post(Showing showing);
    /// What goes through Ends::orders with a pipe that is shown.
    [[nodiscard]] static std::string label_of(const ShownPipe& pipe);
    /// Unless the task has a new tally by now.
    void drop_tally(core::TaskId task, const std::shared_ptr<TallyCell>& cell);
    void rested();
    void ended();
    [[nodiscard]] const CollectorOptions& options() const noexcept { return options_; }

  private:
    explicit Desk(CollectorOptions options) : options_(std::move(options)) {}
    // Under give_mutex_.
    [[nodiscard]] Result<void> send(std::span<const int> pipes);
    void give(Order order);
    void give_gathered();

    void receive_shown(News& out);

    const CollectorOptions options_;
    UniqueFd socket_;
    UniqueFd socket_theirs_;
    UniqueFd wake_;
    UniqueFd news_;

    std::mutex give_mutex_;  // keeps pipes and orders in one order; taken before mutex_
    bool held_ = false;
    std::vector<UniqueFd> gathered_pipes_;  ///< of the attaches that are not given yet,
    std::vector<Order> gathered_;           ///< and these

    mutable std::mutex mutex_;
    std::deque<Order> orders_;
    News waiting_;
    struct Entry {
        std::shared_ptr<TallyCell> cell;
        bool forgotten = false;
    };
    std::unordered_map<core::TaskId, Entry> cells_;
    std::condition_variable end_;
    bool rested_ = false;
    bool ended_ = false;
};

}  // namespace vigil::output
