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
#include "linux/process/process.hpp"

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kControl = "control";
constexpr std::string_view kNotes = "notes";
constexpr milliseconds kListLimit{10'000};
/// A keeper that is behind has this long to catch up before a spawn goes on without it.
constexpr milliseconds kPutLimit{100};
constexpr int kEndTries = 3;

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

void kill_and_reap(const UniqueFd& child) {
    (void)os::signal_process(child.get(), SIGKILL);
    os::wait_and_reap(child.get());
}

}  // namespace

void Kept::add(const std::string& key, UniqueFd fd) {
    if (key == kControl) {
        control_ = std::move(fd);
        return;
    }
    if (key == kNotes) {
        notes_ = std::move(fd);
        return;
    }
    const std::size_t slash = key.find('/', 2);
    if (key.size() < 4 || key[1] != '/' || slash == std::string::npos) return;
    std::uint64_t run = 0;
    const char* const end = key.data() + slash;
    if (std::from_chars(key.data() + 2, end, run).ptr != end) return;
    const KeptKind kind{key[0]};
    std::string path = kind == KeptKind::notify ? os::NotifySocket::path_of(fd.get()) : std::string();
    runs_.insert_or_assign({key.substr(slash + 1), core::Generation{run}, kind},
                           Held{std::move(fd), std::move(path)});
}

UniqueFd Kept::take(KeptKind kind, std::string_view task, core::Generation run) {
    const auto found = runs_.extract({std::string(task), run, kind});
    return found ? std::move(found.mapped().fd) : UniqueFd();
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
    for (const auto& [key, held] : runs_)
        if (key.kind == KeptKind::notify) paths.push_back(held.notify_path);
    return paths;
}

std::string Kept::notify_path(std::string_view task, core::Generation run) const {
    const auto found = runs_.find({std::string(task), run, KeptKind::notify});
    return found == runs_.end() ? std::string() : found->second.notify_path;
}

std::vector<std::string> Kept::tasks() const {
    std::vector<std::string> names;
    for (const auto& [key, held] : runs_)
        if (names.empty() || names.back() != key.task) names.push_back(key.task);
    return names;
}

std::vector<std::string> Kept::left() const {
    std::vector<std::string> keys;
    for (const auto& [key, held] : runs_) keys.push_back(key_of(key.kind, key.task, key.run));
    return keys;
}

Result<ReachedKeeper> ReachedKeeper::reach(const os::InstanceLock& lock, const std::string& socket) {
    ReachedKeeper reached;
    auto client = keeper::Client::connect(socket);
    if (!client && (client.error().code == ENOENT || client.error().code == ECONNREFUSED)) {
        auto started = keeper::start(lock, {.program = find_program(), .socket = socket});
        if (!started) return Failure{started.error()};
        reached.child_ = std::move(started->pidfd);
        client = keeper::Client::connect(socket);
        // One that does not even greet is of no use, and nobody else would reap it.
        if (!client) {
            kill_and_reap(reached.child_);
            ::unlink(socket.c_str());
        }
    }
    if (!client) return Failure{client.error()};
    if (const auto status = (*client)->status()) reached.pid_ = static_cast<pid_t>(status->pid);
    reached.client_ = std::move(client).value();
    return reached;
}

ReachedKeeper::~ReachedKeeper() {
    if (!client_ || !child_) return;
    if (client_->end())
        os::wait_and_reap(child_.get());
    else
        kill_and_reap(child_);
}

Keeping::Opened Keeping::open(const os::InstanceLock& lock, const std::string& runtime_dir,
                              const os::Features& features, std::shared_ptr<spdlog::logger> log) {
    Opened opened{std::unique_ptr<Keeping>(new Keeping(runtime_dir + "/keeper.sock", std::move(log))), {}};
    Keeping& self = *opened.keeping;
    auto reached = features.keeper ? ReachedKeeper::reach(lock, self.socket_)
                                   : Result<ReachedKeeper>(Failure{Error{"it is disabled", 0}});
    std::string why = reached ? "" : reached.error().text();
    if (reached) {
        self.take(std::move(reached).value());
        auto listing = self.client_->list(kListLimit);
        if (listing) {
            for (keeper::Entry& entry : listing->entries)
                if (!entry.descriptors.empty())
                    opened.kept.add(entry.key, std::move(entry.descriptors.front()));
            if (listing->cut_short != 0)
                self.log_->error("{} descriptors of the keeper could not be taken: the limit of open files",
                                 listing->cut_short);
        } else {
            why = listing.error().text();
            self.client_.reset();
        }
    }
    if (!why.empty())
        self.log_->warn(
            "without a keeper, since {}: if vigild is killed, its tasks live on, but what they print until "
            "it is back is lost{}",
            why, features.keeper ? "; trying again from time to time" : "");
    return opened;
}

std::shared_ptr<keeper::Client> Keeping::client() const {
    const std::scoped_lock lock(mutex_);
    return client_;
}

Keeping::Put Keeping::put_once(const std::string& key, int fd) const {
    if (fd < 0) return Put::done;
    const auto client = this->client();
    if (!client) return Put::never;
    const int one[] = {fd};
    const auto done = client->put(key, one);
    if (done) return Put::done;
    return done.error().code == EAGAIN || done.error().code == ETOOMANYREFS ? Put::later : Put::never;
}

void Keeping::put(const std::string& key, int fd) const {
    const auto until = std::chrono::steady_clock::now() + kPutLimit;
    while (put_once(key, fd) == Put::later && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(milliseconds(1));
}

Keeping::Put Keeping::put_again(KeptKind kind, std::string_view task, core::Generation run, int fd) const {
    return put_once(key_of(kind, task, run), fd);
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

std::shared_ptr<output::TransferNotes> Keeping::hold_notes(Kept& kept) {
    notes_ = kept.take_notes();
    auto notes = output::TransferNotes::open(notes_.get());
    if (!notes) {
        auto made = output::TransferNotes::make();
        if (made) {
            notes_ = std::move(made).value();
            notes = output::TransferNotes::open(notes_.get());
        } else {
            notes = Failure{made.error()};
        }
    }
    if (!notes) {
        log_->warn("{}; should vigild be killed, what it is writing to logs is written twice",
                   notes.error().text());
        return nullptr;
    }
    put(std::string(kNotes), notes_.get());
    return std::move(notes).value();
}

void Keeping::let_go(KeptKind kind, std::string_view task, core::Generation run) const {
    let_go(key_of(kind, task, run));
}

void Keeping::let_go(const std::string& key) const {
    // What the keeper does not hear of now it holds a little longer: the next daemon finds that nobody wants
    // it.
    if (const auto client = this->client()) (void)client->drop(key);
}

int Keeping::connection() const {
    return client_ ? client_->fd() : -1;
}

UniqueFd Keeping::lose() {
    const std::scoped_lock lock(mutex_);
    client_.reset();
    return std::move(child_);
}

void Keeping::take(ReachedKeeper&& keeper) {
    {
        const std::scoped_lock lock(mutex_);
        client_ = std::move(keeper.client_);
        // One that was found may be the child that did not answer before.
        if (keeper.child_) child_ = std::move(keeper.child_);
        pid_ = keeper.pid_;
    }
    ++keeper_;
    put(std::string(kNotes), notes_.get());
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
    // The connection stays an object: a spawn thread that hung in a look-up until now may still want to put
    // something.
    const auto client = this->client();
    if (!client && !child_) return;
    auto ended = client ? client->end() : Result<void>(Failure{Error{"ending the keeper", ENOTCONN}});
    // On a connection of its own: the other one is of no use after a failure.
    for (int tries = 0; !ended && tries < kEndTries; ++tries) ended = keeper::end_at(socket_);
    if (!ended) log_->warn("{}", ended.error().text());
    if (!child_) return;
    // It has nothing left to do but to exit, and may wait for a moment of the processor.
    if (!ended) {
        kill_and_reap(child_);
        ::unlink(socket_.c_str());  // dead, and nobody else's: we hold the lock
    } else {
        os::wait_and_reap(child_.get());
    }
    child_.reset();
}

}  // namespace vigil::daemon
