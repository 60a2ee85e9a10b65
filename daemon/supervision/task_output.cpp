#include "supervision/task_output.hpp"

#include <algorithm>

#include "config/keys.hpp"
#include "core/log_path.hpp"

namespace vigil::daemon {
namespace {

/// For each task this much of its last run is kept in memory, from the last line on.
constexpr std::size_t kMostKept = 1024;
constexpr std::chrono::milliseconds kRestLimit{1000};

void trim(std::vector<std::string>& lines) {
    std::size_t size = 0;
    auto first = lines.end();
    while (first != lines.begin() && size + std::prev(first)->size() <= kMostKept) size += (--first)->size();
    lines.erase(lines.begin(), first);
}

/// The word that a configuration has for it.
template <typename Enum>
std::string word_of(std::string_view key, Enum value) {
    return std::string(config::find_key(config::Scope::task, key)->words[static_cast<std::size_t>(value)]);
}

}  // namespace

Result<std::unique_ptr<TaskOutput>> TaskOutput::create(Loop& loop, Settings settings,
                                                       std::shared_ptr<spdlog::logger> log) {
    output::CollectorOptions options;
    options.group = settings.group;
    options.notes = settings.notes;
    auto collector = output::Collector::create(options);
    if (!collector) return Failure{collector.error()};
    return std::unique_ptr<TaskOutput>(
        new TaskOutput(loop, std::move(settings), std::move(collector).value(), std::move(log)));
}

TaskOutput::TaskOutput(Loop& loop, Settings settings, std::unique_ptr<output::Collector> collector,
                       std::shared_ptr<spdlog::logger> log)
    : settings_(std::move(settings)),
      log_(std::move(log)),
      collector_(std::move(collector)),
      watch_(loop, collector_->readable_fd(), [this](int) { take_news(); }) {
    watch_.interest(UV_READABLE);
}

void TaskOutput::rest(bool rest) {
    if (!rest) return collector_->go_on();
    // What hangs in a disk is the task's pipe's still: nothing is lost by going on without it.
    if (!collector_->rest(kRestLimit)) log_->warn("a log is held up; going on without waiting for it");
}

bool TaskOutput::attach(core::TaskId task, core::Generation generation, const core::SpecPtr& spec, pid_t pid,
                        UniqueFd (&pipes)[2]) {
    bool any = false;
    for (const core::OutputStream stream : {core::OutputStream::out, core::OutputStream::err}) {
        UniqueFd& pipe = pipes[static_cast<std::size_t>(stream)];
        if (!pipe) continue;
        const auto attached = collector_->attach({.task = task,
                                                  .generation = generation,
                                                  .stream = stream,
                                                  .spec = spec,
                                                  .pid = pid,
                                                  .path = core::log_path(settings_.log_dir, *spec, stream),
                                                  .pipe = std::move(pipe)});
        if (!attached) log_->error("{}: its output is lost: {}", spec->name, attached.error().text());
        any = any || attached;
    }
    return any;
}

void TaskOutput::finish(core::TaskId task, core::Generation generation, const core::SpecPtr& spec) {
    finishing_.insert_or_assign({task, generation}, spec);
    collector_->finish(task, generation);
}

void TaskOutput::forget(core::TaskId task) {
    collector_->forget(task);
    last_runs_.erase(task);
}

std::optional<protocol::OutputFacts> TaskOutput::facts(core::TaskId task, const core::TaskSpec& spec) const {
    if (spec.launch->output.to != core::OutputTo::file) return std::nullopt;
    output::Tally tally = collector_->tally(task);
    return protocol::OutputFacts{.written = tally.written,
                                 .dropped = tally.dropped,
                                 .dropped_lines = tally.dropped_lines,
                                 .fault = std::move(tally.fault)};
}

const std::vector<std::string>* TaskOutput::last_lines(core::TaskId task, core::Generation generation) const {
    const auto found = last_runs_.find(task);
    return found != last_runs_.end() && found->second.generation == generation ? &found->second.lines
                                                                               : nullptr;
}

std::vector<std::string> TaskOutput::paths(const core::TaskSpec& spec) const {
    return core::log_paths(settings_.log_dir, spec);
}

std::vector<protocol::LogPlace> TaskOutput::places(core::TaskId task, const core::TaskSpec& spec) const {
    const core::OutputRule& rule = spec.launch->output;
    const bool has_log = rule.to == core::OutputTo::file;
    std::vector<protocol::LogPlace> places;
    for (const core::OutputStream stream : {core::OutputStream::out, core::OutputStream::err}) {
        if (stream == core::OutputStream::err && !rule.apart) continue;
        protocol::LogPlace place;
        place.name = spec.name;
        place.stream = stream == core::OutputStream::out ? "out" : "err";
        place.to = word_of("output.to", rule.to);
        if (has_log) {
            place.format = word_of("output.format", rule.format);
            place.path = core::log_path(settings_.log_dir, spec, stream);
            place.fault = collector_->tally(task).fault;
        }
        places.push_back(std::move(place));
    }
    return places;
}

void TaskOutput::take_news() {
    collector_->take_news(news_);
    if (viewer_ && (!news_.shown.empty() || news_.showing)) viewer_(news_.shown, news_.showing);
    for (const output::Message& message : news_.messages)
        log_->log(message.fault ? spdlog::level::err : spdlog::level::info, "{}", message.text);
    for (output::LastWords& words : news_.last_words) {
        trim(words.lines);
        if (const auto run = finishing_.extract({words.task, words.generation}))
            settings_.drained(run.mapped()->name, words.generation);
        last_runs_.insert_or_assign(words.task, LastRun{words.generation, std::move(words.lines)});
    }
    news_ = {};
}

}  // namespace vigil::daemon
