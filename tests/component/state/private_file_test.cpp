// What is in the way of a table, or was made by another, is moved out of the way and never followed.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "component/state/stage.hpp"

namespace vigil::state::test {
namespace {

void check_moved(const Stage& stage, const std::string& reason) {
    const Opened opened = stage.open();
    REQUIRE(opened.set_aside);
    CHECK(opened.set_aside->reason == reason);
    CHECK(opened.set_aside->path == stage.bad());
    struct stat status {};
    REQUIRE(::lstat(stage.path().c_str(), &status) == 0);
    CHECK(S_ISREG(status.st_mode));
    CHECK(exists(stage.bad()));
}

TEST_CASE("a symbolic link in place of the table is moved away, and what it leads to is left alone") {
    const Stage stage;
    stage.given({small_record("api", 1)});
    REQUIRE(::rename(stage.path().c_str(), (stage / "elsewhere").c_str()) == 0);
    const std::string before = read_whole(stage / "elsewhere");
    REQUIRE(::symlink("elsewhere", stage.path().c_str()) == 0);
    check_moved(stage, "a symbolic link");
    CHECK(read_whole(stage / "elsewhere") == before);
}

TEST_CASE("a directory, a FIFO or a socket in place of the table is moved away, and nobody waits for it") {
    SUBCASE("a directory") {
        const Stage stage;
        REQUIRE(::mkdir(stage.path().c_str(), 0700) == 0);
        check_moved(stage, "a directory");
    }
    SUBCASE("a FIFO") {
        const Stage stage;
        REQUIRE(::mkfifo(stage.path().c_str(), 0600) == 0);
        check_moved(stage, "no regular file");
    }
    SUBCASE("a socket") {
        const Stage stage;
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, stage.path().c_str(), stage.path().size() + 1);
        const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        const auto opened = Table::open(stage.path(), {});
        REQUIRE(opened);
        REQUIRE(opened->set_aside);
        CHECK(opened->set_aside->reason == "no regular file");
    }
}

TEST_CASE("a table that others may write is not believed") {
    const Stage stage;
    stage.given({small_record("api", 1)});
    REQUIRE(::chmod(stage.path().c_str(), 0620) == 0);
    check_moved(stage, "a file that others may write");
}

TEST_CASE("a table that others may read is closed to them") {
    const Stage stage;
    stage.given({small_record("api", 1)});
    REQUIRE(::chmod(stage.path().c_str(), 0644) == 0);
    const Opened opened = stage.open();
    CHECK(opened.found.size() == 1);
    struct stat status {};
    REQUIRE(::stat(stage.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
}

TEST_CASE("a table that belongs to another user is not believed") {
    if (::geteuid() != 0) {
        MESSAGE("SKIPPED: this case needs root");
        return;
    }
    const Stage stage;
    stage.given({small_record("api", 1)});
    REQUIRE(::chown(stage.path().c_str(), 12'345, 12'345) == 0);
    check_moved(stage, "a file of uid 12345");
}

TEST_CASE("what is set aside takes the place of what was set aside before") {
    const Stage stage;
    write_whole(stage.path(), "first");
    check_moved(stage, "cut short: 5 bytes");
    write_whole(stage.path(), "second");
    check_moved(stage, "cut short: 6 bytes");
    CHECK(read_whole(stage.bad()) == "second");
}

TEST_CASE("where nothing can be moved away, the table is not opened and the error says what is in the way") {
    const Stage stage;
    write_whole(stage.path(), "noise");
    REQUIRE(::mkdir(stage.bad().c_str(), 0700) == 0);
    const auto opened = Table::open(stage.path(), {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().text() == "moving " + stage.path() + " (cut short: 5 bytes) out of the way, to " +
                                       stage.bad() + ": Is a directory (EISDIR)");
    CHECK(read_whole(stage.path()) == "noise");
}

TEST_CASE("a table in a directory that is not there is an error that names it") {
    const Stage stage;
    const auto opened = Table::open(stage / "none/state", {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().text().find(stage / "none/state") != std::string::npos);
}

TEST_CASE("the identity of this process is that of its boot and its pid namespace") {
    const auto here = Identity::current();
    REQUIRE(here);
    CHECK(here->uid == ::geteuid());
    CHECK(here->pid_namespace != 0);
    std::string id = read_whole("/proc/sys/kernel/random/boot_id");
    id.pop_back();
    CHECK(boot_id_text(here->boot_id) == id);
}

}  // namespace
}  // namespace vigil::state::test
