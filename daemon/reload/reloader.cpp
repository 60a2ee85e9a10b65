#include "reload/reloader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "config_files.hpp"
#include "linux/self/spare_memory.hpp"
#include "log.hpp"
#include "reload/reload_text.hpp"

namespace vigil::daemon {
namespace {

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

constexpr const char* kShuttingDown = "the daemon is shutting down; the configuration stays as it is";
constexpr const char* kBusy =
    "the configuration is being read or written for another request; try again in a moment";

}  // namespace

/// One reload on its way through both threads. The pool's thread touches nothing else.
struct Reloader::Work {
    std::string path;
    std::string log_dir;
    bool dry_run = false;
    Follower follower;

    std::vector<config::PresentTask> present;
    config::DaemonSettings settings;
    std::uint64_t revision = 0;

    bool loaded = false;
    bool whole = false;  ///< there was memory for all of it
    config::Config config;
    ConfigTrace trace;
    Judgement judgement;

    void read() {
        ConfigFiles files;
        auto read = config::load(files, path);
        loaded = read.ok();
        trace = files.trace();
        if (read) {
            config = std::move(read).value();
            return;
        }
        judgement.verdict = Verdict::invalid;
        for (const config::Problem& problem : read.error()) judgement.problems.push_back(problem.text());
    }

    void compare() {
        if (!loaded) return;
        judgement = {};
        judgement.problems = config::conflicts(present, config, log_dir);
        if (!judgement.problems.empty()) judgement.verdict = Verdict::invalid;
        judgement.plan = config::plan_reload(present, settings, config);
    }
};

Reloader::Reloader(Parts parts, const Directories& directories, const ReadConfig& running)
    : parts_(std::move(parts)),
      log_dir_(directories.log),
      settings_(running.config.daemon),
      trace_(running.trace),
      fault_(running.fault),
      last_good_(parts_.loop, directories, parts_.log) {
    take_names(running.config);
}

void Reloader::propose(bool dry_run, Follower follower) {
    const auto refuse = [&](const char* why) {
        if (follower.judged) follower.judged({.verdict = Verdict::busy, .why = why});
    };
    if (parts_.supervisor.shutting_down()) return refuse(kShuttingDown);
    if (busy_ && !dry_run) return refuse(kBusy);
    auto work = std::make_shared<Work>();
    work->path = parts_.facts.config_file;
    work->log_dir = log_dir_;
    work->dry_run = dry_run;
    work->follower = std::move(follower);
    if (!dry_run) busy_ = true;
    compare(work);
}

std::vector<config::PresentTask> Reloader::present() const {
    std::vector<config::PresentTask> tasks;
    tasks.reserve(parts_.supervisor.size());
    for (const core::TaskId id : parts_.supervisor.ids_by_name()) {
        const core::SpecPtr& spec = *parts_.supervisor.report(id, clock_now())->spec;
        tasks.push_back({spec, !is_from_file(spec->name)});
    }
    return tasks;
}

void Reloader::compare(const std::shared_ptr<Work>& work) {
    work->present = present();
    work->settings = settings_;
    work->revision = revision_;
    work->whole = false;
    parts_.loop.aside(
        [work] {
            if (!work->loaded) work->read();
            work->compare();
            work->whole = true;
        },
        [this, work] { conclude(work); });
}

void Reloader::conclude(const std::shared_ptr<Work>& work) {
    // A task came or went while the files were read: what was compared is not what there is.
    if (work->loaded && work->revision != revision_) return compare(work);
    Judgement& judgement = work->judgement;
    if (!work->whole)
        judgement = {.verdict = Verdict::invalid,
                     .problems = {"out of memory while the configuration was read"}};
    if (parts_.supervisor.shutting_down())
        judgement = {.verdict = Verdict::busy, .why = kShuttingDown};
    else if (judgement.verdict == Verdict::good && !work->dry_run && !os::spare_memory::hold())
        judgement = {.verdict = Verdict::invalid,
                     .problems = {"out of memory: there is none for what would follow from it"}};
    else if (judgement.verdict == Verdict::good && !work->dry_run)
        if (const std::string name = leaving_task(work->config); !name.empty())
            judgement = {.verdict = Verdict::busy,
                         .why = fmt::format("task {} is just being removed, and the configuration has it; "
                                            "reload again when it is gone",
                                            name)};
    if (work->dry_run) {
        if (work->follower.judged) work->follower.judged(judgement);
        return;
    }
    say_judgement(*parts_.log, judgement);
    if (work->follower.judged) work->follower.judged(judgement);
    if (judgement.verdict == Verdict::good) apply(*work);
    end_change();
}

/// A task of the configuration whose name is not free yet.
std::string Reloader::leaving_task(const config::Config& wanted) const {
    for (const core::SpecPtr& spec : wanted.tasks) {
        const auto task = parts_.supervisor.find(spec->name);
        if (task && parts_.supervisor.report(*task, clock_now())->desired == core::Desired::removed)
            return spec->name;
    }
    return {};
}

void Reloader::order(const Follower& follower, core::TaskId task, const core::Event& event,
                     std::optional<core::Goal> goal) {
    if (follower.order)
        follower.order(task, event, goal);
    else
        parts_.supervisor.handle(task, event, clock_now());
}

void Reloader::change(const Follower& follower, const config::TaskChange& change) {
    const auto task = parts_.supervisor.find(change.after->name);
    if (!task) return;
    const auto report = parts_.supervisor.report(*task, clock_now());
    const bool restarts = change.restart && report->desired == core::Desired::up &&
                          (core::has_run(report->state) || report->state == core::StateName::failed);
    const bool starts = report->state == core::StateName::created && !report->waiting_turn &&
                        !change.before->autostart && change.after->autostart;
    std::optional<core::Goal> goal;
    if (restarts) goal = core::Goal::restarted;
    if (starts) goal = core::Goal::running;
    order(follower, *task, core::event::NewSpec{change.after, change.restart}, goal);
}

void Reloader::apply(Work& work) {
    const config::ReloadPlan& plan = work.judgement.plan;
    for (const std::string& name : plan.removed)
        if (const auto task = parts_.supervisor.find(name))
            order(work.follower, *task, core::event::Remove{{core::cause::ConfigReload{}}},
                  core::Goal::removed);
    for (const config::TaskChange& one : plan.changed) change(work.follower, one);
    for (const core::SpecPtr& spec : plan.added) {
        const auto task = parts_.supervisor.add(spec, clock_now());
        // The name is free and nothing shuts down, or there would be no good judgement.
        VIGIL_CHECK(task.ok(), spec->name.c_str());
        if (work.follower.added) work.follower.added(*task);
    }
    take_over(work);
    if (work.follower.applied) work.follower.applied();
    parts_.turn();
}

void Reloader::take_over(Work& work) {
    settings_ = config::settings_after(settings_, work.config.daemon);
    parts_.log->set_level(spdlog_level(settings_.log_level));
    parts_.supervisor.set_rules(starting_limit(settings_), settings_.max_dead_fraction);
    parts_.facts.defaults = work.config.defaults;
    parts_.facts.config_files = work.config.files;
    trace_ = std::move(work.trace);
    behind_ = false;
    fault_.clear();
    take_names(work.config);
    keep_last_good();
}

void Reloader::take_names(const config::Config& config) {
    origins_.clear();
    files_.clear();
    origins_.reserve(config.tasks.size());
    for (std::size_t i = 0; i < config.tasks.size(); ++i)
        note_file(config.tasks[i]->name, config.files[config.task_files[i]]);
}

void Reloader::note_file(const std::string& task, const std::string& file) {
    origins_.insert_or_assign(task, Origin{.file = &*files_.insert(file).first, .from_file = true});
}

bool Reloader::is_from_file(const std::string& task) const {
    const auto found = origins_.find(task);
    return found != origins_.end() && found->second.from_file;
}

void Reloader::keep_last_good() {
    std::vector<core::SpecPtr> tasks;
    for (config::PresentTask& task : present())
        if (!task.at_run_time) tasks.push_back(std::move(task.spec));
    last_good_.keep({settings_, std::move(tasks), parts_.facts.defaults, parts_.facts.config_files});
}

void Reloader::reload() {
    if (busy_) {
        again_ = true;
        return;
    }
    if (parts_.supervisor.shutting_down()) {
        parts_.log->warn("not reloaded: {}", kShuttingDown);
        return;
    }
    propose(false, {});
}

bool Reloader::begin_change() {
    return !std::exchange(busy_, true);
}

void Reloader::end_change() {
    busy_ = false;
    if (std::exchange(again_, false)) reload();
}

void Reloader::changed(const core::effect::Announce& change) {
    if (change.from && change.to) return;
    ++revision_;
    if (change.to) return;
    const auto gone = origins_.find(change.name);
    if (gone == origins_.end()) return;
    gone->second.from_file = false;
    if (gone->second.file == nullptr) origins_.erase(gone);
}

std::string Reloader::file_of(const std::string& task) const {
    const auto found = origins_.find(task);
    return found == origins_.end() || found->second.file == nullptr ? std::string() : *found->second.file;
}

void Reloader::task_written(const std::string& task, const std::string& path) {
    note_file(task, path);
    parts_.facts.config_files.push_back(path);
    trace_.note_written(path);
    keep_last_good();
}

void Reloader::task_unwritten(const std::string& task, const std::string& path) {
    origins_.erase(task);
    std::erase(parts_.facts.config_files, path);
    trace_.note_removed(path);
    keep_last_good();
}

unsigned starting_limit(const config::DaemonSettings& settings) {
    return settings.max_starting.value_or(8 * std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace vigil::daemon
