#include "output/compressor.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>

#include "base/thread.hpp"
#include "base/unique_fd.hpp"
#include "logs/log_name.hpp"

namespace vigil::output {
namespace {

constexpr int kLevel = 3;

bool write_all(int fd, std::string_view data) {
    while (!data.empty()) {
        const ssize_t count = ::write(fd, data.data(), data.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        data.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool compress(int from, int to, const std::atomic<bool>& stop) {
    const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    if (!context) return false;
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    std::string in(ZSTD_CStreamInSize(), '\0');
    std::string out(ZSTD_CStreamOutSize(), '\0');
    for (;;) {
        if (stop) return false;
        const ssize_t count = ::read(from, in.data(), in.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        ZSTD_inBuffer input{in.data(), static_cast<std::size_t>(count), 0};
        const ZSTD_EndDirective directive = count == 0 ? ZSTD_e_end : ZSTD_e_continue;
        for (bool done = false; !done;) {
            ZSTD_outBuffer output{out.data(), out.size(), 0};
            const std::size_t left = ZSTD_compressStream2(context.get(), &output, &input, directive);
            if (ZSTD_isError(left) != 0U || !write_all(to, {out.data(), output.pos})) return false;
            done = count == 0 ? left == 0 : input.pos == input.size;
        }
        if (count == 0) return true;
    }
}

/// Last of all that runs: a core that has nothing else to do, a disk that nobody waits for.
void step_back() {
    const sched_param none{};
    ::sched_setscheduler(0, SCHED_IDLE, &none);
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
    constexpr int kWhoProcess = 1;       // IOPRIO_WHO_PROCESS, ioprio_set(2); 0: this thread
    constexpr int kIdleClass = 3 << 13;  // IOPRIO_CLASS_IDLE
    ::syscall(SYS_ioprio_set, kWhoProcess, 0, kIdleClass);
}

}  // namespace

bool compress_part(const std::string& part, const std::atomic<bool>& stop) {
    const UniqueFd from(::open(part.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat found {};
    if (!from || ::fstat(from.get(), &found) != 0 || !S_ISREG(found.st_mode)) return false;
    const std::string target = logs::compressed_path(part);
    const std::string next = target + ".tmp";
    ::unlink(next.c_str());  // of a daemon that was killed here
    const UniqueFd to(::open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!to) return false;
    const timespec times[2] = {found.st_atim, found.st_mtim};
    [[maybe_unused]] const int given = ::fchown(to.get(), found.st_uid, found.st_gid);
    // The plain part goes when the other is on disk, not before.
    const bool whole = compress(from.get(), to.get(), stop) &&
                       ::fchmod(to.get(), found.st_mode & 07777U) == 0 && ::futimens(to.get(), times) == 0 &&
                       ::fdatasync(to.get()) == 0 && std::rename(next.c_str(), target.c_str()) == 0;
    if (!whole) {
        ::unlink(next.c_str());
        return false;
    }
    // Gone already: it was not to be kept any longer, in neither form.
    if (::unlink(part.c_str()) != 0 && errno == ENOENT) ::unlink(target.c_str());
    return true;
}

struct Compressor::Shared {
    std::mutex mutex;
    std::condition_variable more;
    std::deque<std::string> waiting;
    bool running = false;
    std::atomic<bool> stop = false;
};

Compressor::Compressor() : shared_(std::make_shared<Shared>()) {}

Compressor::~Compressor() {
    const std::scoped_lock lock(shared_->mutex);
    shared_->stop = true;
    shared_->more.notify_all();
}

void Compressor::add(const std::string& part) {
    const std::scoped_lock lock(shared_->mutex);
    auto& waiting = shared_->waiting;
    if (std::find(waiting.begin(), waiting.end(), part) != waiting.end()) return;
    waiting.push_back(part);
    if (std::exchange(shared_->running, true)) return shared_->more.notify_one();
    // Never waited for: it may hang in a disk, and has nothing that is not its own.
    auto thread = start_thread([shared = shared_] { run(shared); }, "starting a thread that compresses");
    if (thread)
        thread->detach();
    else
        shared_->running =
            false;  // with the next part it is tried again; until then this one lies there plain
}

void Compressor::run(const std::shared_ptr<Shared>& shared) {
    step_back();
    std::unique_lock lock(shared->mutex);
    for (;;) {
        shared->more.wait(lock, [&] { return shared->stop || !shared->waiting.empty(); });
        if (shared->stop) return;
        const std::string part = std::move(shared->waiting.front());
        shared->waiting.pop_front();
        lock.unlock();
        compress_part(part, shared->stop);
        lock.lock();
    }
}

}  // namespace vigil::output
