#include "linux/spawn/prepared_spawn.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "linux/file/random_name.hpp"

namespace vigil::os {
namespace {

using core::SpawnFailure;
using core::SpawnStage;
using Step = Result<void, SpawnFailure>;

constexpr std::string_view kWatchdogPid = "WATCHDOG_PID";
constexpr std::size_t kPidDigits = 10;

Failure<SpawnFailure> failure(SpawnStage stage, int error, std::string detail) {
    return {SpawnFailure{stage, error, std::move(detail)}};
}

std::string microseconds(core::Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

/// One spawn being made ready, step by step.
class Preparation {
  public:
    Preparation(SpawnContext& context, const SpawnJob& job, std::atomic<SpawnStage>& stage)
        : context_(context),
          job_(job),
          launch_(*job.spec->launch),
          command_(job.auxiliary ? job.auxiliary->command : job.spec->command),
          stage_(stage) {}

    Result<std::unique_ptr<PreparedSpawn>, SpawnFailure> run() {
        using Member = Step (Preparation::*)();
        for (const Member step : {&Preparation::read_file, &Preparation::look_up_user, &Preparation::compose,
                                  &Preparation::look_up_command, &Preparation::make_notify_socket,
                                  &Preparation::make_heartbeat_pipe, &Preparation::open_output,
                                  &Preparation::make_cgroup, &Preparation::add_own_variables})
            if (auto done = (this->*step)(); !done) return Failure{done.error()};
        point();
        return std::move(made_);
    }

  private:
    Step read_file() {
        stage_ = SpawnStage::prepare_environment;
        if (launch_.env_file.empty()) return {};
        auto text = read_env_file(launch_.env_file);
        if (!text) return failure(SpawnStage::prepare_environment, text.error().code, text.error().doing);
        file_text_ = std::move(text).value();
        return {};
    }

    Step look_up_user() {
        stage_ = SpawnStage::look_up_user;
        auto identity = context_.identity_for(launch_);
        if (!identity)
            return failure(SpawnStage::look_up_user, identity.error().error, identity.error().detail);
        made_->identity = std::move(identity).value();
        return {};
    }

    Step compose() {
        stage_ = SpawnStage::prepare_environment;
        const SpawnerOptions& options = context_.options();
        auto variables = compose_environment(launch_, made_->identity, options.daemon_environment, file_text_,
                                             options.language);
        if (!variables) return Failure{variables.error()};
        variables_ = std::move(variables).value();
        return {};
    }

    Step look_up_command() {
        stage_ = SpawnStage::look_up_command;
        auto paths = find_command(command_.empty() ? std::string() : std::string(command_.front()),
                                  find_variable(variables_, "PATH").value_or(""));
        if (!paths) return Failure{paths.error()};
        made_->paths = std::move(paths).value();
        return {};
    }

    Step make_notify_socket() {
        stage_ = SpawnStage::make_notify_socket;
        if (!job_.spec->may_notify() || job_.auxiliary) return {};
        auto socket = NotifySocket::create(context_.options().notify_directory);
        if (!socket)
            return failure(SpawnStage::make_notify_socket, socket.error().code, socket.error().doing);
        made_->notify = std::move(socket).value();
        return {};
    }

    Step make_heartbeat_pipe() {
        if (!job_.spec->heartbeat || !job_.spec->heartbeat->pipe || job_.auxiliary) return {};
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0)
            return failure(SpawnStage::make_notify_socket, errno, "making the heartbeat pipe");
        made_->heartbeat_reader.reset(ends[0]);
        made_->heartbeat_writer.reset(ends[1]);
        // The flag belongs to this end only: the task's end blocks as any pipe does.
        if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
            return failure(SpawnStage::make_notify_socket, errno, "making the heartbeat pipe non-blocking");
        if (context_.options().low_descriptors)
            made_->low_writer = context_.options().low_descriptors->lend(ends[1]);
        return {};
    }

    Step open_output() {
        stage_ = SpawnStage::open_output;
        if (job_.auxiliary) return {};
        auto output = os::open_output(*job_.spec, made_->identity.uid, context_.options().journal_socket);
        if (!output) return Failure{output.error()};
        made_->output = std::move(output).value();
        if (!context_.options().low_descriptors) return {};
        for (int stream = 0; stream < 2; ++stream)
            if (const UniqueFd& writer = made_->output.writer[stream])
                made_->low_output[stream] = context_.options().low_descriptors->lend(writer.get());
        return {};
    }

    Step make_cgroup() {
        stage_ = SpawnStage::make_cgroup;
        if (job_.auxiliary || !context_.options().cgroups) return {};
        auto cgroup = TaskCgroup::create(context_.options().cgroups, job_.spec->name, job_.generation);
        if (!cgroup) return failure(SpawnStage::make_cgroup, cgroup.error().code, cgroup.error().doing);
        made_->cgroup = std::move(cgroup).value();
        auto fd = made_->cgroup.open();
        if (!fd) return failure(SpawnStage::make_cgroup, fd.error().code, fd.error().doing);
        made_->cgroup_fd = std::move(fd).value();
        return {};
    }

    Result<std::string> invocation() const {
        if (job_.auxiliary) return job_.auxiliary->invocation;
        if (job_.invocation) return to_hex(*job_.invocation);
        Invocation bits{};
        if (auto drawn = draw_random(bits); !drawn) return Failure{drawn.error()};
        return to_hex(bits);
    }

    Step add_own_variables() {
        auto invocation = this->invocation();
        if (!invocation)
            return failure(SpawnStage::prepare_environment, invocation.error().code,
                           invocation.error().doing);
        made_->invocation = std::move(invocation).value();
        set_variable(variables_, "VIGIL_TASK", job_.spec->name);
        set_variable(variables_, "VIGIL_GENERATION",
                     std::to_string(static_cast<std::uint64_t>(job_.generation)));
        set_variable(variables_, "VIGIL_INVOCATION", made_->invocation);
        if (const std::string& place = context_.options().runtime_directory; !place.empty())
            set_variable(variables_, "VIGIL_RUNTIME_DIR", place);
        if (made_->notify) set_variable(variables_, "NOTIFY_SOCKET", made_->notify.path());
        if (!made_->output.journal_stream.empty())
            set_variable(variables_, "JOURNAL_STREAM", made_->output.journal_stream);
        if (job_.auxiliary)
            for (const auto& [name, value] : job_.auxiliary->variables) set_variable(variables_, name, value);
        if (!beats()) return {};
        set_variable(variables_, "WATCHDOG_USEC", microseconds(job_.spec->heartbeat->timeout));
        set_variable(variables_, "VIGIL_HEARTBEAT_INTERVAL_USEC",
                     microseconds(job_.spec->heartbeat->interval));
        set_variable(variables_, kWatchdogPid, std::string(kPidDigits, '\0'));
        if (made_->heartbeat_writer) set_variable(variables_, "VIGIL_HEARTBEAT_FD", "3");
        return {};
    }

    /// Sets the plan's pointers; nothing it points to is touched after that.
    void point() {
        ChildPlan& plan = made_->plan;
        point_environment(plan);
        // execve(2) takes pointers to non-const for history's sake and changes nothing.
        for (const std::string_view argument : command_)
            made_->argv.push_back(const_cast<char*>(argument.data()));
        made_->argv.push_back(nullptr);
        for (const std::string& path : made_->paths) made_->path_pointers.push_back(path.c_str());
        made_->path_pointers.push_back(nullptr);
        plan.paths = made_->path_pointers.data();
        plan.argv = made_->argv.data();
        plan.envp = made_->envp.data();
        point_descriptors(plan);
        point_limits(plan);
        point_identity(plan);
        plan.umask = launch_.umask;
        plan.set_nice = launch_.nice.has_value();
        plan.nice = launch_.nice.value_or(0);
        made_->oom_score_adj = std::to_string(launch_.oom_score_adj.value_or(0));
        // A file of a process that is about to exec is the dearest of what a child does for itself.
        plan.set_oom_score_adj = !context_.has_oom_score_adj(made_->oom_score_adj);
        plan.oom_score_adj = made_->oom_score_adj.data();
        plan.oom_score_adj_length = made_->oom_score_adj.size();
        plan.oom_score_adj_required = launch_.oom_score_adj.has_value();
        plan.cwd = launch_.cwd.c_str();
        plan.no_new_privs = launch_.no_new_privs;
        plan.ignored_signals = context_.ignored_signals();
        plan.hold = context_.options().hold && context_.options().hold(job_);
    }

    /// One block for all: a dozen small ones would cost as much as the rest of the preparation.
    void point_environment(ChildPlan& plan) {
        std::size_t size = 0;
        for (const auto& [name, value] : variables_) size += name.size() + value.size() + 2;
        made_->environment.reserve(size);
        made_->envp.reserve(variables_.size() + 1);
        for (const auto& [name, value] : variables_) {
            char* const entry = made_->environment.data() + made_->environment.size();
            made_->environment.append(name).append(1, '=').append(value).append(1, '\0');
            if (beats() && name == kWatchdogPid) plan.watchdog_pid = entry + name.size() + 1;
            made_->envp.push_back(entry);
        }
        made_->envp.push_back(nullptr);
    }

    void point_descriptors(ChildPlan& plan) const {
        plan.null_fd = context_.null_fd();
        plan.output_to_null = launch_.output.to == core::OutputTo::null;
        if (made_->heartbeat_writer)
            plan.heartbeat_fd =
                made_->low_writer.get() >= 0 ? made_->low_writer.get() : made_->heartbeat_writer.get();
        if (made_->output.writer[0]) {
            plan.out_fd = low_output(core::OutputStream::out);
            plan.err_fd = made_->output.writer[1] ? low_output(core::OutputStream::err) : plan.out_fd;
        }
        plan.cgroup_fd = job_.auxiliary ? job_.auxiliary->cgroup.get() : made_->cgroup_fd.get();
        // Without a low number the copy of the table grows as far as the number there is: slower, but right.
        plan.keep_below = static_cast<unsigned>(std::max(
                              {STDERR_FILENO, plan.null_fd, plan.heartbeat_fd, plan.out_fd, plan.err_fd})) +
                          1;
    }

    int low_output(core::OutputStream stream) const {
        const auto index = static_cast<std::size_t>(stream);
        const int low = made_->low_output[index].get();
        return low >= 0 ? low : made_->output.writer[index].get();
    }

    /// Whether the process is told of heartbeats.
    bool beats() const { return job_.spec->heartbeat && !job_.auxiliary; }

    void point_limits(ChildPlan& plan) const {
        bool has_open_files = false;
        for (const core::ResourceLimit& limit : launch_.rlimits) {
            made_->limits.push_back(
                {limit.resource, limit.soft.value_or(RLIM_INFINITY), limit.hard.value_or(RLIM_INFINITY)});
            has_open_files = has_open_files || limit.resource == RLIMIT_NOFILE;
        }
        if (const auto& given_back = context_.options().open_files; given_back && !has_open_files)
            made_->limits.push_back({RLIMIT_NOFILE, given_back->rlim_cur, given_back->rlim_max});
        plan.limits = made_->limits.data();
        plan.limit_count = made_->limits.size();
    }

    void point_identity(ChildPlan& plan) const {
        const Identity& identity = made_->identity;
        plan.set_groups = context_.must_set_groups(identity);
        if (identity.groups) {
            plan.groups = identity.groups->data();
            plan.group_count = identity.groups->size();
        }
        plan.set_gid = context_.must_set_gid(identity);
        plan.gid = identity.gid;
        plan.set_uid = context_.must_set_uid(identity);
        plan.uid = identity.uid;
    }

    SpawnContext& context_;
    const SpawnJob& job_;
    const core::LaunchSpec& launch_;
    const TextList& command_;
    std::atomic<SpawnStage>& stage_;
    std::unique_ptr<PreparedSpawn> made_ = std::make_unique<PreparedSpawn>();
    std::string file_text_;
    Environment variables_;
};

}  // namespace

Result<std::unique_ptr<PreparedSpawn>, SpawnFailure> prepare_spawn(SpawnContext& context, const SpawnJob& job,
                                                                   std::atomic<SpawnStage>& stage) {
    return Preparation(context, job, stage).run();
}

}  // namespace vigil::os
