// Disks that hang.
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <cstdlib>
#include <thread>

#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

namespace {

bool run(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

/// A file system on a loop device that can be frozen: writes to it wait until it is thawed.
class IcyDisk {
  public:
    explicit IcyDisk(const TempDir& directory) : image_(directory / "image"), at_(directory / "icy") {
        ::mkdir(at_.c_str(), 0755);
        mounted_ = run("truncate -s 16M " + image_ + " && mkfs.ext4 -q -O ^has_journal " + image_ +
                       " && mount -o loop " + image_ + " " + at_);
        root_.reset(mounted_ ? ::open(at_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
        usable_ = mounted_ && freeze();
        if (usable_) thaw();
        if (!usable_) MESSAGE("SKIPPED: no file system may be mounted and frozen here");
    }
    ~IcyDisk() {
        thaw();
        root_.reset();
        if (mounted_) run("umount -l " + at_);
    }
    IcyDisk(const IcyDisk&) = delete;
    IcyDisk& operator=(const IcyDisk&) = delete;

    bool freeze() {
        frozen_ = ::ioctl(root_.get(), FIFREEZE, 0) == 0;
        return frozen_;
    }
    void thaw() {
        if (std::exchange(frozen_, false)) ::ioctl(root_.get(), FITHAW, 0);
    }
    [[nodiscard]] bool usable() const noexcept { return usable_; }
    [[nodiscard]] std::string operator/(const std::string& name) const { return at_ + "/" + name; }

  private:
    std::string image_;
    std::string at_;
    UniqueFd root_;
    bool mounted_ = false;
    bool usable_ = false;
    bool frozen_ = false;
};

void impatient(CollectorOptions& options) {
    options.stall_limit = 200ms;
}

std::function<void(core::TaskSpec&)> logs_to(const std::string& path, core::OutputFormat format) {
    return [=](core::TaskSpec& spec) {
        spec.launch.edit().output.path = path;
        spec.launch.edit().output.format = format;
    };
}

/// What a log holds of the task, without the mark of losses.
std::string without_mark(std::string log) {
    const std::size_t at = log.find("[vigil: ");
    REQUIRE(at != std::string::npos);
    return log.erase(at, log.find('\n', at) + 1 - at);
}

}  // namespace

TEST_CASE("nasty 53: a task whose disk hangs is not held up, others are not either, and all is counted") {
    Stage stage(impatient);
    IcyDisk disk(stage.directory);
    if (!disk.usable()) return;
    Task stuck = stage.start("stuck", logs_to(disk / "stuck.log", core::OutputFormat::raw));
    Task other = stage.start("other");
    const std::string first = numbered_lines(0, 100);
    stuck.print(first);
    REQUIRE(stage.settled(stuck, first.size()));
    REQUIRE(disk.freeze());
    // Far more than its pipe holds: it would be held up otherwise.
    const std::string rest = numbered_lines(100, 20'000);
    stuck.print(rest);
    CHECK(stage.tally(stuck).fault == "log held up: " + (disk / "stuck.log"));
    for (int i = 1; i <= 20; ++i) {
        other.print("x\n");
        CHECK(stage.settled(other, static_cast<std::uint64_t>(i) * 2));
    }
    CHECK(stage.said(true).size() == 1);
    disk.thaw();
    CHECK(eventually([&] { return stage.tally(stuck).fault.empty(); }));
    REQUIRE(stage.settled(stuck, first.size() + rest.size()));
    const Tally before_last = stage.tally(stuck);
    stuck.print("after\n");
    stage.end(stuck);
    stage.end(other);
    CHECK(before_last.dropped > 0);
    const std::string log = read_whole(disk / "stuck.log");
    CHECK(log.find(std::to_string(before_last.dropped) +
                   " bytes) of output were dropped here: log held up]\n") != std::string::npos);
    // The write that was held up came before the mark, and all of it.
    const std::string theirs = without_mark(log);
    CHECK(theirs.starts_with(first));
    CHECK(theirs.ends_with("after\n"));
    CHECK(theirs.size() - (before_last.written + 6) <= 1);
}

TEST_CASE("nasty 53: a disk that hangs for no longer than the task's pipe has room costs nothing") {
    Stage stage(impatient);
    IcyDisk disk(stage.directory);
    if (!disk.usable()) return;
    Task task = stage.start("slow", logs_to(disk / "slow.log", core::OutputFormat::raw));
    const std::string first = numbered_lines(0, 10);
    task.print(first);
    REQUIRE(stage.settled(task, first.size()));
    REQUIRE(disk.freeze());
    // The first of these is what the worker hangs with; the others wait in the pipe.
    std::string rest;
    for (std::size_t i = 0; i < 10; ++i) {
        const std::string lines = numbered_lines(10 + 10 * i, 10);
        task.print(lines);
        rest += lines;
        std::this_thread::sleep_for(100ms);
    }
    CHECK(stage.tally(task).fault.empty());
    disk.thaw();
    REQUIRE(stage.settled(task, first.size() + rest.size()));
    stage.end(task);
    CHECK(stage.tally(task).dropped == 0);
    CHECK(read_whole(disk / "slow.log") == first + rest);
}

TEST_CASE("nasty 53: what is being written takes no room in the pipe of a task whose disk hangs for long") {
    Stage stage(impatient);
    IcyDisk disk(stage.directory);
    if (!disk.usable()) return;
    Task task = stage.start("slow", logs_to(disk / "slow.log", core::OutputFormat::raw));
    const std::string first = numbered_lines(0, 10);
    task.print(first);
    REQUIRE(stage.settled(task, first.size()));
    REQUIRE(disk.freeze());
    // Together they are more than the pipe holds.
    const std::string writing(std::size_t{48} << 10U, 'a');
    const std::string waiting(std::size_t{24} << 10U, 'b');
    task.print(writing);
    REQUIRE(eventually([&] { return task.waiting() == 0; }));
    task.print(waiting);
    // Long enough for what is held up to be noticed again.
    std::this_thread::sleep_for(300ms);
    CHECK(stage.tally(task).fault.empty());
    disk.thaw();
    REQUIRE(stage.settled(task, first.size() + writing.size() + waiting.size()));
    stage.end(task);
    CHECK(stage.tally(task).dropped == 0);
    CHECK(read_whole(disk / "slow.log") == first + writing + waiting);
}

TEST_CASE("nasty 53: formatted lines whose write was held up are in the log once") {
    Stage stage(impatient);
    IcyDisk disk(stage.directory);
    if (!disk.usable()) return;
    Task stuck = stage.start("stuck", logs_to(disk / "stuck.log", core::OutputFormat::timestamp));
    stuck.print("first\n");
    REQUIRE(stage.settled(stuck, 6));
    REQUIRE(disk.freeze());
    const std::string rest = numbered_lines(0, 5000);
    stuck.print(rest);
    CHECK(eventually([&] { return !stage.tally(stuck).fault.empty(); }));
    disk.thaw();
    REQUIRE(stage.settled(stuck, 6 + rest.size()));
    CHECK(eventually([&] { return stage.tally(stuck).fault.empty(); }));
    stage.end(stuck);
    std::size_t bytes = 0;
    std::size_t marks = 0;
    const std::string log = read_whole(disk / "stuck.log");
    for (std::size_t at = 0; at < log.size();) {
        const std::size_t end = log.find('\n', at);
        const bool mark = log.compare(at + 25, 8, "[vigil: ") == 0;
        marks += mark ? 1U : 0U;
        bytes += mark ? 0 : end + 1 - at - 25;
        at = end + 1;
    }
    CHECK(marks == 1);
    CHECK(bytes == stage.tally(stuck).written);
    CHECK(stage.tally(stuck).written + stage.tally(stuck).dropped == 6 + rest.size());
}

TEST_CASE(
    "nasty 53: more logs on a hanging disk than threads: none of their tasks is held up, and runs end") {
    Stage stage([](CollectorOptions& options) {
        options.stall_limit = 200ms;
        options.max_threads = 3;
    });
    IcyDisk disk(stage.directory);
    if (!disk.usable()) return;
    std::vector<Task> stuck;
    for (int i = 0; i < 10; ++i) {
        const std::string name = "s" + std::to_string(i);
        stuck.push_back(stage.start(name, logs_to(disk / name, core::OutputFormat::raw)));
        stuck.back().print("first\n");
        REQUIRE(stage.settled(stuck.back(), 6));
    }
    REQUIRE(disk.freeze());
    const std::string rest = numbered_lines(0, 5000);
    for (Task& task : stuck) task.print(rest);
    for (Task& task : stuck) {
        CHECK(eventually([&] { return !stage.tally(task).fault.empty(); }));
        stage.end(task);
    }
    disk.thaw();
    for (Task& task : stuck) {
        CHECK(stage.settled(task, 6 + rest.size()));
        const std::string log = disk / task.spec->name;
        CHECK(eventually([&] { return read_whole(log).find("log held up]\n") != std::string::npos; }));
        CHECK(without_mark(read_whole(log)).size() - stage.tally(task).written <= 1);
    }
}

TEST_CASE("A collector ends though a disk hangs, and what is left behind harms nobody") {
    TempDir directory;
    IcyDisk disk(directory);
    if (!disk.usable()) return;
    const std::size_t threads_before = threads();
    {
        auto collector = std::move(Collector::create({}).value());
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
        const UniqueFd out(ends[1]);
        auto spec = std::make_shared<core::TaskSpec>();
        spec->name = "stuck";
        Source source;
        source.task = core::TaskId{1};
        source.generation = core::Generation{1};
        source.spec = spec;
        source.path = disk / "stuck.log";
        source.pipe.reset(ends[0]);
        REQUIRE(collector->attach(std::move(source)).ok());
        REQUIRE(::write(out.get(), "first\n", 6) == 6);
        REQUIRE(eventually([&] { return read_whole(disk / "stuck.log") == "first\n"; }));
        REQUIRE(disk.freeze());
        REQUIRE(::write(out.get(), "held\n", 5) == 5);
        const auto before = std::chrono::steady_clock::now();
        collector.reset();
        CHECK(std::chrono::steady_clock::now() - before < 5s);
    }
    disk.thaw();
    CHECK(eventually([&] { return read_whole(disk / "stuck.log") == "first\nheld\n"; }));
    // Its thread closes what it holds, in its own table.
    CHECK(eventually([&] { return threads() == threads_before; }));
}
