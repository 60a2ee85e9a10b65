// The writer is stopped after every single instruction of a change, and what a kill would leave there is
// looked at: not at random moments, but at all of them.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>

#include "component/state/stage.hpp"

namespace vigil::state::test {
namespace {

/// With the draft, which may be of it.
struct FirstRecord {
    DraftImage draft;
    RecordImage record;
};

/// What would be found: name, number of runs, pid of the run; or that the record is free, or lost.
std::string found_in(const FirstRecord& seen) {
    const RecordImage& record = seen.record;
    if (is_free(record, seen.draft, 0)) return "free";
    const SlotImage* slot = content_of(record, seen.draft, 0);
    if (slot == nullptr) return "lost";
    const auto decoded = decode({slot->payload.data(), slot->length});
    if (!decoded) return "undecodable";
    return decoded->task.name + " " + std::to_string(decoded->task.runs) + " pid " +
           std::to_string(pid_of_run(record, decoded->task.generation));
}

/// The first record of the table as another process sees it.
class Watched {
  public:
    explicit Watched(const Stage& stage) {
        const UniqueFd file(::open(stage.path().c_str(), O_RDONLY | O_CLOEXEC));
        mapping_ = ::mmap(nullptr, file_size(1), PROT_READ, MAP_SHARED, file.get(), 0);
        REQUIRE(mapping_ != MAP_FAILED);
    }
    ~Watched() { ::munmap(mapping_, file_size(1)); }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    [[nodiscard]] FirstRecord now() const {
        FirstRecord seen{};
        std::memcpy(&seen.draft, static_cast<const char*>(mapping_) + kDraftAt, sizeof seen.draft);
        std::memcpy(&seen.record, static_cast<const char*>(mapping_) + kHeaderSize, sizeof seen.record);
        return seen;
    }

  private:
    void* mapping_;
};

struct Course {
    std::vector<std::string> seen;  ///< what was found, each change of it once
    std::size_t steps = 0;
};

/// Runs `change` on the table of a child, instruction by instruction. Nothing where the kernel does not allow
/// to watch a child.
std::optional<Course> course_of(const Stage& stage, const std::function<void(Table&, SlotId)>& change) {
    const pid_t child = fork_child([&] {
        auto opened = Table::open(stage.path(), {});
        must(opened.ok() && opened->found.size() == 1, "opening the table");
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(77);
        ::raise(SIGSTOP);
        change(opened->table, opened->found[0].slot);
        ::raise(SIGSTOP);
    });
    int status = wait_for(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return std::nullopt;
    REQUIRE(WIFSTOPPED(status));
    Course course;
    {
        const Watched watched(stage);
        FirstRecord last = watched.now();
        course.seen.push_back(found_in(last));
        while (true) {
            REQUIRE(::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) == 0);
            status = wait_for(child);
            REQUIRE(WIFSTOPPED(status));
            if (WSTOPSIG(status) == SIGSTOP) break;
            ++course.steps;
            const FirstRecord now = watched.now();
            if (std::memcmp(&now, &last, sizeof now) == 0) continue;
            last = now;
            const std::string found = found_in(now);
            if (found != course.seen.back()) course.seen.push_back(found);
        }
    }
    ::kill(child, SIGKILL);
    status = wait_for(child);
    return course;
}

TEST_CASE(
    "nasty 74: a kill after any instruction of a write leaves the content before or the content after") {
    for (const int written_before : {1, 2}) {
        const Stage stage;
        for (int i = 0; i < written_before; ++i) stage.given({small_record("api", 7, 1)});
        const auto course = course_of(stage, [](Table& table, SlotId slot) {
            Record next = small_record("api", 7, 2);
            next.task.cause = {core::cause::Dependency{"database"}};
            next.task.status_text = "waiting";
            table.write(slot, next);
        });
        if (!course) return;
        CHECK(course->seen == std::vector<std::string>{"api 1 pid 0", "api 2 pid 0"});
        CHECK(course->steps > 1000);
    }
}

TEST_CASE(
    "nasty 74: a kill after any instruction of a record of intent never gives the new run the pid of the "
    "old") {
    const Stage stage;
    stage.given({small_record("api", 7, 1)});
    {
        Opened opened = stage.open();
        *opened.table.pid_word(opened.found[0].slot) = 4711;
    }
    const auto course = course_of(stage, [](Table& table, SlotId slot) {
        table.write(slot, small_record("api", 8, 2));
        *table.pid_word(slot) = 815;
        table.write(slot, small_record("api", 8, 3));
    });
    if (!course) return;
    CHECK(course->seen == std::vector<std::string>{"api 1 pid 4711", "api 1 pid 0", "api 2 pid 0",
                                                   "api 2 pid 815", "api 3 pid 815"});
}

TEST_CASE(
    "nasty 74: a kill after any instruction of a release leaves the last content or none, never an older "
    "one") {
    const Stage stage;
    stage.given({small_record("api", 7, 1), small_record("api", 7, 2)});
    const auto course = course_of(stage, [](Table& table, SlotId slot) { table.release(slot); });
    if (!course) return;
    CHECK(course->seen == std::vector<std::string>{"api 2 pid 0", "free"});
}

}  // namespace
}  // namespace vigil::state::test
