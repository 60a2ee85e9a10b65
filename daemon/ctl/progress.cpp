#include "ctl/progress.hpp"

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "ctl/display_width.hpp"

namespace vigil::ctl {
namespace {

using Clock = std::chrono::steady_clock;

/// What is over sooner than this needs no line that flickers.
constexpr core::Duration kShowAfter = std::chrono::milliseconds(400);
constexpr core::Duration kAskWithin = std::chrono::milliseconds(300);
constexpr std::size_t kNamed = 3;
constexpr std::string_view kEraseLine = "\r\033[K";

bool is_on_its_way(const protocol::TaskStatus& task) {
    return task.status == "starting" || task.status == "stopping" || task.status == "failed" ||
           task.waiting_turn;
}

}  // namespace

std::string awaited_text(const std::vector<protocol::TaskStatus>& tasks) {
    std::string text;
    std::size_t count = 0;
    for (const protocol::TaskStatus& task : tasks) {
        if (!is_on_its_way(task)) continue;
        if (++count > kNamed) continue;
        text.append(text.empty() ? "" : ", ").append(escape_for_display(task.name));
        text.append(" (").append(escape_for_display(task.status)).append(")");
    }
    if (count > kNamed) text += " and " + std::to_string(count - kNamed) + " more";
    return text;
}

Progress::Progress(const Options& options, const Terminal& terminal)
    : options_(options), terminal_(terminal), begun_(Clock::now()) {}

void Progress::attach(client::Patience& patience) {
    if (terminal_.error_is_terminal()) patience.tick = [this] { draw(); };
}

std::string Progress::awaited() {
    client::Patience patience{.until = Clock::now() + kAskWithin};
    if (!client_ && !silent_) {
        auto opened = client::Client::open(
            client::socket_candidates(options_.socket, client::present_surroundings()), patience);
        if (opened) client_.emplace(std::move(opened).value());
    }
    if (!client_) return {};
    auto tasks = client_->statuses(options_.names, patience);
    if (tasks) return awaited_text(*tasks);
    // After a late answer the connection is of no use, and a daemon that is busy should not be asked again
    // and again.
    silent_ = true;
    client_.reset();
    return {};
}

void Progress::draw() {
    const core::Duration elapsed = Clock::now() - begun_;
    if (elapsed < kShowAfter) return;
    const std::string who = awaited();
    std::string line =
        "waiting" + (who.empty() ? std::string() : " for " + who) + "  " + format_duration_rough(elapsed);
    // A line that wraps could not be erased.
    if (const std::size_t columns = terminal_.error_size().columns; columns > 1)
        line = cut_to_width(line, columns - 1);
    terminal_.error_text(std::string(kEraseLine).append(line));
    drawn_ = true;
}

void Progress::erase() {
    if (drawn_) terminal_.error_text(kEraseLine);
    drawn_ = false;
}

}  // namespace vigil::ctl
