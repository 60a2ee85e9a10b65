// What a daemon that was killed in the middle of a write has left in the notes, and how the next one goes on.
#include "output/transfer_notes.hpp"

#include <cerrno>

#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

namespace {

/// A task whose pipe holds `printed`, and notes that say: of its first `claimed` bytes a part is in the log
/// already, which was `before` bytes long.
struct Left {
    UniqueFd memory = std::move(TransferNotes::make().value());
    UniqueFd read_end;
    UniqueFd write_end;
    std::uint64_t inode = 0;

    Left(const std::string& log, const std::string& printed, std::size_t before, std::size_t claimed) {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
        read_end.reset(ends[0]);
        write_end.reset(ends[1]);
        REQUIRE(::write(write_end.get(), printed.data(), printed.size()) ==
                static_cast<ssize_t>(printed.size()));
        struct stat file {};
        struct stat ours {};
        REQUIRE(::stat(log.c_str(), &file) == 0);
        REQUIRE(::fstat(read_end.get(), &ours) == 0);
        const auto notes = TransferNotes::open(memory.get()).value();
        inode = ours.st_ino;
        notes->take()->begin(inode, {file.st_dev, file.st_ino}, before, claimed);
    }

    /// The log, when the next collector has moved all, and that the note is used up.
    std::string go_on(const std::string& log, core::OutputFormat format) {
        {
            Stage stage([&](CollectorOptions& options) {
                options.notes = TransferNotes::open(memory.get()).value();
            });
            Task task;
            task.id = core::TaskId{1};
            task.spec = std::make_shared<core::TaskSpec>();
            task.spec->name = "api";
            task.spec->launch.edit().output.path = log;
            task.spec->launch.edit().output.format = format;
            stage.attach(task, ::fcntl(read_end.get(), F_DUPFD_CLOEXEC, 3));
            stage.end(task);
        }
        CHECK(TransferNotes::open(memory.get()).value()->left(inode) == nullptr);
        return read_whole(log);
    }
};

std::string without_times(const std::string& log) {
    std::string text;
    for (std::size_t at = 0; at < log.size();) {
        const std::size_t end = log.find('\n', at);
        REQUIRE(end != std::string::npos);
        REQUIRE(end >= at + 25);
        text.append(log, at + 25, end + 1 - at - 25);
        at = end + 1;
    }
    return text;
}

}  // namespace

TEST_CASE("A raw write that was cut off by a kill is gone on with at the very byte") {
    const TempDir directory;
    const std::string log = directory / "api.log";
    const std::string before = "before\n";
    const std::string printed = numbered_lines(0, 100);
    for (const std::size_t written : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, std::size_t{2000}}) {
        write_whole(log, before + printed.substr(0, written));
        Left left(log, printed, before.size(), 2000);
        CHECK(left.go_on(log, core::OutputFormat::raw) == before + printed);
    }
}

TEST_CASE("Formatted lines whose write was cut off by a kill are in the log once, and none is torn") {
    const TempDir directory;
    const std::string log = directory / "api.log";
    const std::string before = "2026-03-01T12:00:00.000Z before\n";
    const std::string printed = numbered_lines(0, 100);
    for (const char* torn :
         {"", "2026-03-", "2026-03-01T12:00:00.000Z 00000000 \n2026-03-01T12:00:00.000Z 000"}) {
        write_whole(log, before + torn);
        Left left(log, printed, before.size(), 2000);
        CHECK(without_times(left.go_on(log, core::OutputFormat::timestamp)) == "before\n" + printed);
    }
}

TEST_CASE("A note about a file that is no longer the log costs no byte of what is in the pipe") {
    const TempDir directory;
    const std::string log = directory / "api.log";
    const std::string printed = numbered_lines(0, 100);
    write_whole(log, "of another file, and longer than that was\n");
    Left left(log, printed, 7, 2000);
    REQUIRE(::rename(log.c_str(), (directory / "elsewhere").c_str()) == 0);
    write_whole(log, "anew, and of some length as well\n");
    CHECK(left.go_on(log, core::OutputFormat::raw) == "anew, and of some length as well\n" + printed);
}

TEST_CASE(
    "Notes that stand are for the one who asks for that pipe, once, and their place is not used meanwhile") {
    const UniqueFd memory = std::move(TransferNotes::make().value());
    {
        const auto notes = TransferNotes::open(memory.get()).value();
        notes->take()->begin(4711, {1, 2}, 3, 4);
        TransferNote* const ended = notes->take();
        ended->begin(4712, {1, 2}, 3, 4);
        ended->end();
    }
    const auto next = TransferNotes::open(memory.get()).value();
    TransferNote* const left = next->left(4711);
    REQUIRE(left != nullptr);
    CHECK(left->before == 3);
    CHECK(next->left(4711) == nullptr);
    CHECK(next->left(4712) == nullptr);
    std::size_t places = 0;
    while (TransferNote* const mine = next->take()) {
        CHECK(mine != left);
        ++places;
    }
    CHECK(places > 16);
    left->end();
    CHECK(next->take() == left);
}

TEST_CASE("A memory that is too short or of another version is not taken for notes") {
    const UniqueFd memory = std::move(TransferNotes::make().value());
    REQUIRE(::pwrite(memory.get(), "other", 5, 0) == 5);
    CHECK(TransferNotes::open(memory.get()).error().code == EINVAL);
    REQUIRE(::ftruncate(memory.get(), 100) == 0);
    CHECK(TransferNotes::open(memory.get()).error().code == EINVAL);
    CHECK_FALSE(TransferNotes::open(-1).ok());
}
