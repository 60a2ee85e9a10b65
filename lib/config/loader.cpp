#include <algorithm>
#include <filesystem>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/text.hpp"
#include "config/check.hpp"
#include "config/config.hpp"
#include "config/fields.hpp"
#include "config/reader.hpp"
#include "config/task.hpp"
#include "core/log_path.hpp"
#include "json/parse.hpp"

namespace vigil::config {
namespace {

json::Limits file_limits() {
    json::Limits limits;
    limits.max_bytes = kMaxFileBytes;
    // 100 values for each of the largest number of tasks; about 200 MB of memory at the very worst.
    limits.max_values = 100 * kMaxTasks;
    limits.allow_comments = true;
    return limits;
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// One spelling for each path, as far as that goes without looking at the file system.
std::string normal(const std::string& path) {
    return std::filesystem::path(path).lexically_normal().string();
}

/// One reading of the main file and of what it includes.
class Loader {
  public:
    explicit Loader(Files& files) : files_(files) {}

    Result<Config, std::vector<Problem>> load(const std::string& path) {
        read_main(path);
        compile_tasks();
        if (reporter_.count() != 0) return Failure{reporter_.take()};
        config_.defaults.file = path;
        return std::move(config_);
    }

    std::optional<DaemonSettings> load_settings(const std::string& path) {
        std::optional<json::Value> root = read_file(path, nullptr);
        if (!root) root = std::move(beginning_);
        const std::size_t before = reporter_.count();
        const json::Value* daemon = root ? root->find("daemon") : nullptr;
        if (daemon == nullptr && (!root || before != 0)) return std::nullopt;
        take_daemon(daemon);
        if (reporter_.count() != before) return std::nullopt;
        return config_.daemon;
    }

  private:
    struct FoundTask {
        std::string name;
        json::Place place;
        json::Value object;
        SourceId source;
    };

    void read_main(const std::string& path) {
        std::optional<json::Value> root = read_file(path, nullptr);
        if (!root) return;
        const SourceId main = 0;
        check_section(reporter_, main, Scope::file, {}, *root, {});
        take_daemon(root->find("daemon"));
        take_defaults(root->find("defaults"));
        take_tasks(root->find("tasks"), main);
        if (const json::Value* patterns = root->find("include")) include(path, *patterns);
    }

    /// Where a file was asked for, to say so if it cannot be read.
    struct Wish {
        SourceId source;
        json::Place place;
    };

    std::optional<json::Value> read_file(const std::string& path, const Wish* wish) {
        auto text = files_.read(path);
        if (!text) {
            const SourceId source = wish != nullptr ? wish->source : reporter_.add_source(path, {});
            reporter_.report(source, wish != nullptr ? wish->place : json::Place{}, text.error().text());
            return std::nullopt;
        }
        config_.files.push_back(path);
        auto reading = json::read_leniently(*text, file_limits());
        const SourceId source = reporter_.add_source(path, std::move(*text));
        for (const json::Problem& problem : reading.problems)
            reporter_.report(source, problem.place, problem.message);
        beginning_ = std::move(reading.beginning);
        return std::move(reading.root);
    }

    void take_daemon(const json::Value* daemon) {
        const std::size_t before = reporter_.count();
        if (daemon != nullptr) check_section(reporter_, 0, Scope::daemon, {}, *daemon, "daemon.");
        if (reporter_.count() != before) return;
        const Reader reader(Scope::daemon, daemon, nullptr);
        for (const DaemonField& field : daemon_fields()) field.read(reader, field.path, config_.daemon);
    }

    void take_defaults(const json::Value* defaults) {
        if (defaults == nullptr) return;
        const std::size_t before = reporter_.count();
        check_section(reporter_, 0, Scope::task, {}, *defaults, "defaults.");
        if (const json::Value* command = defaults->find("command"))
            reporter_.report(0, command->place,
                             "defaults.command: a command belongs to one task and has no default");
        if (reporter_.count() == before)
            config_.defaults.object = std::make_shared<const json::Value>(*defaults);
    }

    void include(const std::string& main_path, const json::Value& patterns) {
        const json::Array* list = patterns.as_array();
        if (list == nullptr) return;  // reported by the check
        for (const json::Value& pattern : *list) {
            const std::string* text = pattern.as_string();
            if (text == nullptr || text->empty() || json::has_nul(*text)) continue;
            auto paths = files_.expand(directory_of(main_path), *text);
            if (!paths) {
                reporter_.report(0, pattern.place, "include: " + paths.error().text());
                continue;
            }
            std::sort(paths->begin(), paths->end());
            for (const std::string& path : *paths) {
                // A file that two patterns match, or the main file itself in its own directory, is read once.
                if (normal(path) == normal(main_path) || !included_.insert(normal(path)).second) continue;
                read_included(path, Wish{0, pattern.place});
            }
        }
    }

    void read_included(const std::string& path, const Wish& wish) {
        std::optional<json::Value> root = read_file(path, &wish);
        if (!root) return;
        const SourceId source = last_source();
        check_section(reporter_, source, Scope::file, {}, *root, {});
        for (const std::string_view name : {"include", "daemon", "defaults"})
            if (const json::Value* value = root->find(name))
                reporter_.report(source, value->place,
                                 std::string(name) + ": this key belongs in the main file (" +
                                     reporter_.file(0) + "); an included file holds tasks");
        take_tasks(root->find("tasks"), source);
    }

    [[nodiscard]] SourceId last_source() const { return reporter_.sources() - 1; }

    /// Moves the tasks out of the tree of their file, which is not kept.
    void take_tasks(json::Value* tasks, SourceId source) {
        if (tasks == nullptr) return;
        json::Object* members = tasks->as_object();
        if (members == nullptr) {
            reporter_.report(source, tasks->place,
                             "tasks: expected an object of names and tasks, found " +
                                 std::string(json::type_name(tasks->type())));
            return;
        }
        for (json::Member& member : *members) {
            if (tasks_.size() == kMaxTasks) {
                reporter_.report(source, member.place,
                                 "tasks: more than " + std::to_string(kMaxTasks) +
                                     " tasks; one daemon supervises no more");
                return;
            }
            if (std::string fault = task_name_fault(member.key); !fault.empty())
                reporter_.report(source, member.place, "tasks: " + fault);
            tasks_.push_back({std::move(member.key), member.place, std::move(member.value), source});
        }
    }

    void compile_tasks() {
        std::unordered_map<std::string_view, const FoundTask*> names;
        config_.tasks.reserve(tasks_.size());
        for (FoundTask& task : tasks_) {
            const auto [first, is_new] = names.emplace(task.name, &task);
            if (!is_new) report_second(*first->second, task);
            core::SpecPtr spec =
                compile_task(reporter_, {task.name, task.object, task.place, config_.defaults.object.get(),
                                         task.source, "tasks." + escape_for_display(task.name) + "."});
            if (spec != nullptr) {
                check_log(*spec, task);
                config_.tasks.push_back(std::move(spec));
                config_.task_files.push_back(task.source);
            }
            task.object = json::Value();
        }
    }

    /// Two tasks that write to one file would spoil each other's lines and rotation. Where log_dir is not
    /// written down it stands for itself: then the daemon finds the clash of a path with another task's
    /// default when it opens the log.
    void check_log(const core::TaskSpec& spec, const FoundTask& task) {
        const std::string& written = config_.daemon.log_dir;
        for (const std::string& log : core::log_paths(written.empty() ? "daemon.log_dir" : written, spec)) {
            const std::string path = normal(log);
            const auto [first, is_new] = logs_.emplace(path, spec.name);
            if (is_new || first->second == spec.name) continue;
            reporter_.report(task.source, task.place,
                             "tasks." + escape_for_display(spec.name) + ".output: the log " +
                                 escape_for_display(path) + " is that of task " + first->second +
                                 " already; give one of the two another output.path");
        }
    }

    void report_second(const FoundTask& first, const FoundTask& second) {
        reporter_.report(second.source, second.place,
                         "tasks." + escape_for_display(second.name) +
                             ": this name is taken; the first is at " + reporter_.file(first.source) + ":" +
                             std::to_string(first.place.line) + ":" + std::to_string(first.place.column));
    }

    Files& files_;
    Reporter reporter_;
    Config config_;
    std::optional<json::Value> beginning_;  ///< of the file that was read last and is broken
    std::vector<FoundTask> tasks_;
    std::unordered_set<std::string> included_;
    std::unordered_map<std::string, std::string> logs_;  ///< path -> task
};

}  // namespace

Result<Config, std::vector<Problem>> load(Files& files, const std::string& path) {
    return Loader(files).load(path);
}

std::optional<DaemonSettings> load_settings(Files& files, const std::string& path) {
    return Loader(files).load_settings(path);
}

}  // namespace vigil::config
