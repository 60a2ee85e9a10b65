#include "recovery/keeping.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <thread>
#include <vector>

#include "keeper/start.hpp"
#include "keeper_path.hpp"
#include "linux/process.hpp"

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kControl = "control";
constexpr milliseconds kListLimit{10'000};
/// A keeper that is behind has this long to catch up before a spawn goes on without it.
constexpr milliseconds kPutLimit{100};

/// "o/12/web"
std::string key_of(KeptKind kind, std::string_view task, core::Generation run) {
    std::string key(1, static_cast<char>(kind));
    key += '/';
    key += std::to_string(static_cast<std::uint64_t>(run));
    key += '/';
    key += task;
    return key;
}

/// Beside vigild in a build tree or an unpacked package, else where it was installed.
std::string find_program() {
    char self[4096];
    const ssize_t size = ::readlink("/proc/self/exe", self, sizeof self);
    if (size > 0) {
        const std::string_view exe(self, static_cast<std::size_t>(size));
        const std::string directory(exe.substr(0, exe.rfind('/')));
        for (const char* place : {"/vigil-keeper", "/keeper/vigil-keeper", "/../libexec/vigil/vigil-keeper"})
            if (::access((directory + place).c_str(), X_OK) == 0) return directory + place;
    }
    return kKeeperPath;
}

}  // namespace

void Kept::add(const std::string& key, UniqueFd fd) {
    if (key == kControl) {
        control_ = std::move(fd);
        return;
    }
    const std::size_t slash = key.find('/', 2);
    if (key.size() < 4 || key[1] != '/' || slash == std::string::npos) return;
    std::uint64_t run = 0;
    const char* const end = key.data() + slash;
    if (std::from_chars(key.data() + 2, end, run).ptr != end) return;
    runs_.insert_or_assign({key.substr(slash + 1), core::Generation{run}, KeptKind{key[0]}}, std::move(fd));
}

UniqueFd Kept::take(KeptKind kind, std::string_view task, core::Generation run) {
    const auto found = runs_.extract({std::string(task), run, kind});
    return found ? std::move(found.mapped()) : UniqueFd();
}

std::vector<core::Generation> Kept::runs_with_output(std::string_view task) const {
    std::vector<core::Generation> runs;
    for (auto at = runs_.lower_bound({std::string(task), core::Generation{}, KeptKind{}});
         at != runs_.end() && at->first.task == task; ++at) {
        const bool output = at->first.kind == KeptKind::output || at->first.kind == KeptKind::error_output;
        if (output && (runs.empty() || runs.back() != at->first.run)) runs.push_back(at->first.run);
    }
    return runs;
}

std::vector<std::string> Kept::notify_paths() const {
    std::vector<std::string> paths;
    for (const auto& [key, fd] : runs_)
        if (key.kind == KeptKind::notify) paths.push_back(os::NotifySocket::path_of(fd.get()));
    return paths;
}

std::string Kept::notify_path(std::string_view task, core::Generation run) const {
    const auto found = runs_.find({std::string(task), run, KeptKind::notify});
    return found == runs_.end() ? std::string() : os::NotifySocket::path_of(found->second.get());
}

std::vector<std::string> Kept::tasks() const {
    std::vector<std::string> names;
    for (const auto& [key, fd] : runs_)
        if (names.empty() || names.back() != key.task) names.push_back(key.task);
    return names;
}

std::vector<std::string> Kept::left() const {
    std::vector<std::string> keys;
    for (const auto& [key, fd] : runs_) keys.push_back(key_of(key.kind, key.task, key.run));
    return keys;
}

Keeping::Opened Keeping::open(const os::InstanceLock& lock, const std::string& runtime_dir,
                              const os::Features& features, std::shared_ptr<spdlog::logger> log) {
    Opened opened{std::unique_ptr<Keeping>(new Keeping(std::move(log))), {}};
    Keeping& self = *opened.keeping;
    Result<void> done = features.keeper ? self.connect(lock, runtime_dir + "/keeper.sock")
                                        : Result<void>(Failure{Error{"it is disabled", 0}});
    if (done) {
        auto listing = self.client_->list(kListLimit);
        if (listing) {
            self.pid_ = static_cast<pid_t>(listing->status.pid);
            for (keeper::Entry& entry : listing->entries)
                if (!entry.descriptors.empty())
                    opened.kept.add(entry.key, std::move(entry.descriptors.front()));
            if (listing->cut_short != 0)
                self.log_->error("{} descriptors of the keeper could not be taken: the limit of open files",
                                 listing->cut_short);
        } else {
            done = Failure{listing.error()};
        }
    }
    if (!done) {
        self.client_.reset();
        self.log_->warn(
            "without a keeper, since {}: if vigild is killed, its tasks live on, but what they print until "
            "it is back is lost",
            done.error().text());
    }
    return opened;
}

Result<void> Keeping::connect(const os::InstanceLock& lock, const std::string& socket) {
    auto client = keeper::Client::connect(socket);
    if (!client && (client.error().code == ENOENT || client.error().code == ECONNREFUSED)) {
        auto started = keeper::start(lock, {.program = find_program(), .socket = socket});
        if (!started) return Failure{started.error()};
        child_ = std::move(started->pidfd);
        client = keeper::Client::connect(socket);
    }
    if (!client) return Failure{client.error()};
    client_ = std::move(client).value();
    return {};
}

void Keeping::put(const std::string& key, int fd) const {
    if (fd < 0 || !client_) return;
    const int one[] = {fd};
    const auto until = std::chrono::steady_clock::now() + kPutLimit;
    for (;;) {
        const auto done = client_->put(key, one);
        const bool behind = !done && (done.error().code == EAGAIN || done.error().code == ETOOMANYREFS);
        if (!behind || std::chrono::steady_clock::now() >= until) return;
        std::this_thread::sleep_for(milliseconds(1));
    }
}

void Keeping::hold(const os::SpawnJob& job, const os::RunDescriptors& descriptors) const {
    const std::string& task = job.spec->name;
    put(key_of(KeptKind::notify, task, job.generation), descriptors.notify);
    put(key_of(KeptKind::heartbeat, task, job.generation), descriptors.heartbeat);
    put(key_of(KeptKind::output, task, job.generation), descriptors.output[0]);
    put(key_of(KeptKind::error_output, task, job.generation), descriptors.output[1]);
}

void Keeping::hold_control(int fd) const {
    put(std::string(kControl), fd);
}

void Keeping::let_go(KeptKind kind, std::string_view task, core::Generation run) const {
    let_go(key_of(kind, task, run));
}

void Keeping::let_go(const std::string& key) const {
    // What the keeper does not hear of now it holds a little longer: the next daemon finds that nobody wants
    // it.
    if (client_) (void)client_->drop(key);
}

std::optional<pid_t> Keeping::keeper_pid() const {
    // Its number may go to a stranger, the connection cannot.
    if (!client_ || !client_->connected()) return std::nullopt;
    return pid_;
}

Keeping::~Keeping() {
    if (child_ && !begun_) end();
}

void Keeping::end() {
    if (!client_) return;
    // The connection stays an object: a spawn thread that hung in a look-up until now may still want to put
    // something.
    const auto ended = client_->end();
    if (!ended) log_->warn("{}", ended.error().text());
    if (!child_) return;
    // It has nothing left to do but to exit, and may wait for a moment of the processor.
    if (!ended) (void)os::signal_process(child_.get(), SIGKILL);
    os::wait_and_reap(child_.get());
    child_.reset();
}

}  // namespace vigil::daemon
