// vigild: reads its command line and configuration, puts the process in order, and runs the daemon.
#include <cstdio>
#include <optional>
#include <string>

#include "cleanup.hpp"
#include "command_line.hpp"
#include "config/config.hpp"
#include "config_files.hpp"
#include "daemon.hpp"
#include "dump_state.hpp"
#include "exit_code.hpp"
#include "linux/process/process.hpp"
#include "linux/self/signals.hpp"
#include "linux/spawn/other_program.hpp"
#include "log.hpp"
#include "reload/fallback.hpp"
#include "upgrade/proof.hpp"

#include <malloc.h>
#include <unistd.h>

namespace vigil::daemon {
namespace {

/// An error before there is a log, or one that ends the start.
int fail(const std::string& what, int code) {
    std::fprintf(stderr, "vigild: %s\n", what.c_str());
    return code;
}

/// Everything that has to happen while there is one thread and nothing is open. The order matters:
/// descriptors before anything is opened, signals before anything is started.
Result<Process> prepare_process(const std::vector<std::string>& disabled_features,
                                std::optional<Handover> handover) {
    if (const auto streams = os::open_standard_streams(); !streams) return Failure{streams.error()};
    if (const auto signals = os::reset_signals(); !signals) return Failure{signals.error()};
    // Those that come while a vigild goes on as another one wait until there is somebody to handle them.
    if (const auto open = handover ? Result<void>() : os::block_only_child_signals(); !open)
        return Failure{open.error()};
    if (const auto calls = os::check_required_calls(); !calls) return Failure{calls.error()};
    Process process;
    process.features = os::probe_features();
    for (const std::string& name : disabled_features)
        if (!process.features.disable(name))
            return Failure{Error{
                "--disable-feature: there is no feature " + name + "; there are " + os::feature_names(), 0}};
    const auto limit = os::raise_open_file_limit();
    if (!limit) return Failure{limit.error()};
    process.open_files = *limit;
    if (handover) process.open_files.at_start = handover->open_files;
    process.handover = std::move(handover);
    auto low = os::LowDescriptors::reserve();
    if (!low) return Failure{low.error()};
    process.low_descriptors = std::move(low).value();
    process.environment = os::current_environment();
    // Orphans of tasks come to us instead of leaving the tree that we answer for.
    if (const auto subreaper = os::become_subreaper(); !subreaper) return Failure{subreaper.error()};
    return process;
}

/// Absolute, so that the file is found again from wherever it is asked for later.
std::string absolute(std::string path) {
    if (path.starts_with('/')) return path;
    char* here = ::getcwd(nullptr, 0);
    if (here == nullptr) return path;
    path = std::string(here) + "/" + path;
    std::free(here);
    return path;
}

/// What was handed over with the exec, its descriptors closed on the next one.
Result<std::optional<Handover>> take_handover(const std::optional<int>& descriptor) {
    if (!descriptor) return std::optional<Handover>();
    const auto memory = os::take_inherited(*descriptor);
    if (!memory) return Failure{memory.error()};
    auto handover = read_handover(memory->get());
    if (!handover) return Failure{Error{handover.error(), 0}};
    for (const int fd : descriptors_of(*handover)) {
        auto taken = os::take_inherited(fd);
        if (!taken) return Failure{taken.error()};
        // Its owner is named in the hand-over.
        (void)taken->release();
    }
    return std::optional(std::move(handover).value());
}

/// As a successor of this process is to be started.
Invocation invocation_of(const CommandLine& line, const std::string& file) {
    std::string program(4096, '\0');
    const ssize_t size = ::readlink("/proc/self/exe", program.data(), program.size());
    program.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    Invocation invocation{.program = std::move(program), .arguments = {"--config", file}};
    for (const std::string& name : line.disabled_features) {
        invocation.arguments.emplace_back("--disable-feature");
        invocation.arguments.push_back(name);
    }
    return invocation;
}

/// Says what is wrong. Nothing: it cannot be used, nor (unless that is not to be looked for) is there another
/// to go on with.
std::optional<ReadConfig> read_config(const std::string& file, bool or_last_good) {
    ConfigFiles files;
    auto config = config::load(files, file);
    if (config) return ReadConfig{.config = std::move(config).value(), .trace = files.trace()};
    std::fputs(config::text(config.error()).c_str(), stderr);
    std::optional<ReadConfig> instead;
    if (or_last_good) instead = last_good_after_crash(file, config.error());
    if (!instead)
        (void)fail(std::to_string(config.error().size()) +
                       (config.error().size() == 1 ? " problem" : " problems") + "; nothing was started",
                   exit_code::kBadConfig);
    return instead;
}

/// glibc raises the sizes from which on memory is given back when a large block is freed (mallopt(3)), and
/// the text of a configuration is one: thousands of tasks later what one turn needed for all of them would
/// stay for ever.
void give_memory_back() {
#if defined(__GLIBC__)
    constexpr int kLarge = 128 << 10;  // glibc's own first values; given, they stay
    (void)::mallopt(M_MMAP_THRESHOLD, kLarge);
    (void)::mallopt(M_TRIM_THRESHOLD, kLarge);
#endif
}

int run(const CommandLine& line) {
    give_memory_back();
    if (line.dump_state && !line.dump_state->empty()) return dump_state(*line.dump_state);
    std::string file = line.config_file;
    if (file.empty()) {
        const auto found = default_config_file(::geteuid(), environment_variable);
        if (!found) return fail(found.error().text(), exit_code::kBadConfig);
        file = *found;
    }
    const bool only_looks = line.check || line.dump_state || line.prove_handover;
    auto handover = take_handover(line.take_over);
    if (!handover) return fail(handover.error().text(), exit_code::kCannotStart);
    auto process = only_looks ? Result<Process>(Process{})
                              : prepare_process(line.disabled_features, std::move(handover).value());
    if (!process) return fail(process.error().text(), exit_code::kCannotStart);

    auto read = read_config(absolute(file), !line.check && !line.prove_handover);
    if (!read) return exit_code::kBadConfig;
    const config::DaemonSettings& settings = read->config.daemon;
    if (line.check) {
        std::printf("%s: valid, %zu tasks\n", file.c_str(), read->config.tasks.size());
        return exit_code::kDone;
    }

    if (line.dump_state) {
        const auto directories = choose_directories(settings);
        if (!directories) return fail(directories.error().text(), exit_code::kCannotRead);
        return dump_state(state_table_path(*directories));
    }
    if (line.prove_handover) return prove_handover(*line.prove_handover, read->config);
    if (line.cleanup) return clean_up(settings, process->features);

    const auto log = make_logger(STDERR_FILENO, detect_log_style(), spdlog_level(settings.log_level));
    if (!read->fault.empty())
        log->error(
            "the configuration cannot be used: {}; going on with the last good one, since a daemon before "
            "this "
            "one has left tasks: mend it, then vigilctl reload",
            read->fault);
    auto loop = Loop::create();
    if (!loop) return fail(loop.error().text(), exit_code::kCannotStart);
    process->loop = std::move(loop).value();
    process->invocation = invocation_of(line, absolute(file));
    std::optional<os::InstanceLock> lock;
    if (process->handover) lock = os::InstanceLock::adopt(UniqueFd(process->handover->lock));
    auto place = take_place(settings, process->features, log, std::move(lock));
    if (!place) return fail(place.error().text(), exit_code::kCannotStart);
    auto daemon = Daemon::create(std::move(process).value(), std::move(place).value(), std::move(*read), log);
    if (!daemon) return fail(daemon.error().text(), exit_code::kCannotStart);
    return (*daemon)->run();
}

}  // namespace
}  // namespace vigil::daemon

int main(int argc, char** argv) {
    using namespace vigil::daemon;
    const ParsedCommandLine parsed = parse_command_line(argc, argv);
    if (parsed.exit) {
        std::fputs(parsed.exit->text.c_str(), parsed.exit->code == 0 ? stdout : stderr);
        return parsed.exit->code;
    }
    return run(*parsed.run);
}
