// The directory of sockets and lock.
#include "linux/file/runtime_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a runtime directory is made with its parents, and set right if it is there") {
    const NothingLeft nothing_left;
    const TempDir directory;
    const std::string path = directory / "a/b/vigil";
    const mode_t before = ::umask(077);
    const auto made = prepare_runtime_directory(path);
    ::umask(before);
    REQUIRE(made.ok());
    CHECK(made->path == path);
    CHECK(made->notify == path + "/notify");
    CHECK(mode_of(path) == 0711);
    CHECK(mode_of(path + "/notify") == 0711);
    REQUIRE(::chmod(path.c_str(), 0700) == 0);
    CHECK(prepare_runtime_directory(path).ok());
    CHECK(mode_of(path) == 0711);
}

TEST_CASE("nasty 86: a runtime directory that is a link, a file, a stranger's or open to others is refused") {
    const NothingLeft nothing_left;
    const TempDir directory;
    CHECK(prepare_runtime_directory("relative").error().code == EINVAL);
    REQUIRE(::symlink(directory.path().c_str(), (directory / "link").c_str()) == 0);
    CHECK_FALSE(prepare_runtime_directory(directory / "link").ok());
    write_whole(directory / "file", "", 0600);
    CHECK_FALSE(prepare_runtime_directory(directory / "file").ok());
    REQUIRE(::mkdir((directory / "open").c_str(), 0700) == 0);
    REQUIRE(::chmod((directory / "open").c_str(), 0777) == 0);
    CHECK(prepare_runtime_directory(directory / "open").error().doing.find("by others") != std::string::npos);
    if (::geteuid() != 0) return;
    REQUIRE(::mkdir((directory / "foreign").c_str(), 0700) == 0);
    REQUIRE(::chown((directory / "foreign").c_str(), 65534, 65534) == 0);
    CHECK(prepare_runtime_directory(directory / "foreign").error().doing.find("uid 65534") !=
          std::string::npos);
}

TEST_CASE("notify sockets of a dead daemon are removed, and nothing else") {
    const NothingLeft nothing_left;
    const TempDir directory;
    // Sockets that outlive their descriptors, as a daemon's do that was killed.
    for (const char* name : {"one", "two"}) {
        REQUIRE(::mknod((directory / name).c_str(), S_IFSOCK | 0666, 0) == 0);
    }
    write_whole(directory / "file", "", 0600);
    CHECK(remove_stale_notify_sockets(directory.path()).value() == 2);
    CHECK(::access((directory / "file").c_str(), F_OK) == 0);
    CHECK(::access((directory / "one").c_str(), F_OK) != 0);
}
