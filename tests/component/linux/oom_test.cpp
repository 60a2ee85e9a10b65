// Ends for want of memory.
#include "linux/process/oom.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "linux/file/small_file.hpp"
#include "linux/process/process.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

/// A memory cgroup (v1) of 16 MiB; nothing, said aloud, where none can be made.
class SmallMemory {
  public:
    SmallMemory() {
        const std::string own = read_whole("/proc/self/cgroup");
        const std::size_t start = own.find(":memory:");
        if (start == std::string::npos) return;
        const std::size_t path = start + 8;
        const std::string place = "/sys/fs/cgroup/memory" + own.substr(path, own.find('\n', path) - path) +
                                  "/vigil-test-" + std::to_string(::getpid());
        if (::mkdir(place.c_str(), 0755) != 0) return;
        path_ = place;
        usable_ = write_small_file(AT_FDCWD, (path_ + "/memory.limit_in_bytes").c_str(), "16777216") == 0;
        (void)write_small_file(AT_FDCWD, (path_ + "/memory.memsw.limit_in_bytes").c_str(), "16777216");
    }
    ~SmallMemory() {
        if (!path_.empty()) CHECK(eventually([&] { return ::rmdir(path_.c_str()) == 0; }));
    }
    SmallMemory(const SmallMemory&) = delete;
    SmallMemory& operator=(const SmallMemory&) = delete;
    [[nodiscard]] bool usable() const { return usable_; }
    [[nodiscard]] std::string procs() const { return path_ + "/cgroup.procs"; }

  private:
    std::string path_;
    bool usable_ = false;
};

}  // namespace

TEST_CASE("the victim is found in the kernel's words, and only in the kernel's") {
    CHECK(find_oom_victim("3,812,4711;Out of memory: Killed process 4711 (tail) total-vm:9kB\n") == 4711);
    CHECK(find_oom_victim("3,1,2,-;Memory cgroup out of memory: Killed process 12 (a b) total") == 12);
    CHECK_FALSE(find_oom_victim("12,1,2,-;Out of memory: Killed process 4711 (tail)"));
    CHECK_FALSE(find_oom_victim("3,1,2,-;oom-kill: task=tail,pid=4711"));
    CHECK_FALSE(find_oom_victim("3,1,2,-;Killed process x"));
    CHECK_FALSE(find_oom_victim("Killed process 5"));
    CHECK_FALSE(find_oom_victim(""));
}

TEST_CASE("nasty 85: a process that the kernel ended for want of memory is told from one that was killed") {
    if (skipped_without_root()) return;
    SmallMemory memory;
    const UniqueFd log(::open("/dev/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!memory.usable() || !log) {
        MESSAGE("SKIPPED: needs a memory cgroup (v1) and /dev/kmsg");
        return;
    }
    SpawnBench bench;
    OomWatch watch;
    // tail keeps all that comes without a newline.
    const SpawnOutcome greedy =
        bench.spawn(SpawnBench::shell("echo $$ > " + memory.procs() + " && exec tail /dev/zero"));
    const SpawnOutcome other = bench.spawn(SpawnBench::shell("kill -KILL $$"));
    REQUIRE(bench.end_of(other).signal == SIGKILL);
    const auto end = bench.end_of(greedy);
    REQUIRE(end.kind == core::ExitStatus::Kind::signal);
    REQUIRE(end.signal == SIGKILL);
    CHECK_FALSE(watch.killed(other.pid, TaskCgroup()));
    CHECK(eventually([&] { return watch.killed(greedy.pid, TaskCgroup()); }));
    // Its number may come again.
    CHECK_FALSE(watch.killed(greedy.pid, TaskCgroup()));
}
