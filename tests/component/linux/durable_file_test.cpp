#include "linux/file/durable_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"

using namespace vigil;
namespace fs = std::filesystem;

namespace {

/// A directory of its own; at the end the files that a case names are all that is in it.
class Directory {
  public:
    Directory() {
        std::string name = "/tmp/vigil-durable-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() { fs::remove_all(path_); }

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
    [[nodiscard]] std::size_t count() const {
        std::size_t found = 0;
        for ([[maybe_unused]] const auto& entry : fs::directory_iterator(path_)) ++found;
        return found;
    }

  private:
    std::string path_;
};

std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("a file is written whole, with its mode whatever the umask, and leaves nothing beside it") {
    const Directory directory;
    const std::string path = directory.file("a.json");
    const mode_t before = ::umask(0077);
    CHECK(os::write_durably(path, "one", 0644, os::IfExists::refuse).ok());
    CHECK(os::write_durably(path, std::string(300'000, 'x'), 0644, os::IfExists::replace).ok());
    ::umask(before);
    CHECK(content(path).size() == 300'000);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0644);
    CHECK(directory.count() == 1);
}

TEST_CASE("what exists is not touched where that is asked for, a link that leads nowhere included") {
    const Directory directory;
    const std::string path = directory.file("a.json");
    REQUIRE(::symlink("/nowhere/at/all", path.c_str()) == 0);
    const auto written = os::write_durably(path, "two", 0644, os::IfExists::refuse);
    REQUIRE_FALSE(written.ok());
    CHECK(written.error().code == EEXIST);
    CHECK(directory.count() == 1);
}

TEST_CASE("a directory that is not there is an error") {
    CHECK(os::write_durably("/nowhere/x", "y", 0600, os::IfExists::replace).error().code == ENOENT);
    CHECK(os::remove_durably("/nowhere/x").error().code == ENOENT);
}

TEST_CASE("what a kill in the middle of a write has left is taken away by the next write in that directory") {
    const Directory directory;
    const std::string path = directory.file("a.json");
    std::ofstream(directory.file(".vigil-new-1-0")) << "half of it";
    std::ofstream(directory.file(".vigil-new-77")) << "half of another";
    CHECK(os::write_durably(path, "one", 0600, os::IfExists::refuse).ok());
    CHECK(directory.count() == 1);
}

TEST_CASE("what is still being written, is somebody else's or only looks like it is not taken away") {
    const Directory directory;
    const UniqueFd written(
        ::open(directory.file(".vigil-new-1-0").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(::flock(written.get(), LOCK_EX | LOCK_NB) == 0);
    std::ofstream(directory.file(".vigil-new-web.json")) << "of the user";
    REQUIRE(::symlink(directory.file(".vigil-new-web.json").c_str(),
                      directory.file(".vigil-new-2-0").c_str()) == 0);
    std::size_t kept = 3;
    if (::geteuid() == 0) {
        std::ofstream(directory.file(".vigil-new-3-0")) << "of another user";
        REQUIRE(::chown(directory.file(".vigil-new-3-0").c_str(), 64'123, 64'123) == 0);
        ++kept;
    }
    os::remove_unfinished(directory.path());
    CHECK(directory.count() == kept);
    os::remove_unfinished(directory.path() + "/nowhere");
}

TEST_CASE("writers in one directory do not disturb each other") {
    const Directory directory;
    std::atomic<int> failed{0};
    const auto write = [&](const std::string& name) {
        for (int round = 0; round < 50; ++round)
            if (!os::write_durably(directory.file(name), name, 0600, os::IfExists::replace).ok()) ++failed;
    };
    std::thread other([&] { write("a"); });
    write("b");
    other.join();
    CHECK(failed == 0);
    CHECK(directory.count() == 2);
}

TEST_CASE("what is removed is gone, and can be removed once") {
    const Directory directory;
    const std::string path = directory.file("a.json");
    REQUIRE(os::write_durably(path, "one", 0600, os::IfExists::refuse).ok());
    CHECK(os::remove_durably(path).ok());
    CHECK(directory.count() == 0);
    CHECK(os::remove_durably(path).error().code == ENOENT);
}
