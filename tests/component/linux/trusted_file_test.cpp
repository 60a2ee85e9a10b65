#include "linux/file/trusted_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace vigil;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLimit = 1000;

std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
    return count;
}

/// A directory of its own below /tmp; at the end no descriptor may be left open.
class Directory {
  public:
    Directory() {
        std::string name = "/tmp/vigil-trusted-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
        descriptors_ = open_descriptors();
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        CHECK(open_descriptors() == descriptors_);
        fs::remove_all(path_);
    }

    [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
    [[nodiscard]] const std::string& path() const { return path_; }

    std::string file(const std::string& name, const std::string& text, mode_t mode = 0644) const {
        std::ofstream(path(name)) << text;
        REQUIRE(::chmod(path(name).c_str(), mode) == 0);
        return path(name);
    }
    std::string directory(const std::string& name, mode_t mode = 0755) const {
        REQUIRE(::mkdir(path(name).c_str(), 0755) == 0);
        REQUIRE(::chmod(path(name).c_str(), mode) == 0);
        return path(name);
    }

  private:
    std::string path_;
    std::size_t descriptors_ = 0;
};

std::string refusal(const std::string& path, std::size_t limit = kLimit) {
    const auto text = os::read_trusted_file(path, limit);
    REQUIRE_FALSE(text.ok());
    CHECK(text.error().text().find(path.substr(0, 5)) != std::string::npos);
    return text.error().text();
}

bool mentions(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

bool is_root() {
    if (::geteuid() == 0) return true;
    MESSAGE("needs root; not tested here");
    return false;
}

}  // namespace

TEST_CASE("a regular file is read whole, with whatever bytes it has") {
    const Directory at;
    CHECK(os::read_trusted_file(at.file("a", "text\n"), kLimit).value() == "text\n");
    CHECK(os::read_trusted_file(at.file("empty", ""), kLimit).value().empty());
    const std::string bytes("\0\xFF\n", 3);
    CHECK(os::read_trusted_file(at.file("bytes", bytes), kLimit).value() == bytes);
    const std::string large(200'000, 'x');
    CHECK(os::read_trusted_file(at.file("large", large), large.size()).value() == large);
}

TEST_CASE("nasty 57: a file over the limit is refused") {
    const Directory at;
    const std::string path = at.file("a", std::string(11, 'x'));
    CHECK(os::read_trusted_file(path, 11).ok());
    CHECK(mentions(refusal(path, 10), "the limit is 10"));
}

TEST_CASE("nasty 57: a directory, a FIFO, a device and a socket are refused without waiting") {
    const Directory at;
    CHECK(mentions(refusal(at.directory("d")), "is a directory"));
    REQUIRE(::mkfifo(at.path("fifo").c_str(), 0600) == 0);
    CHECK(mentions(refusal(at.path("fifo")), "is a FIFO"));
    CHECK(mentions(refusal("/dev/zero"), "is a device"));
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    at.path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    CHECK(mentions(refusal(at.path("socket")), "ENXIO"));
    ::close(listener);
}

TEST_CASE("a file that does not exist is named with its errno") {
    const Directory at;
    CHECK(refusal(at.path("none")) == "opening " + at.path("none") + ": No such file or directory (ENOENT)");
}

TEST_CASE("nasty 61: root refuses a file that others can write") {
    if (!is_root()) return;
    const Directory at;
    CHECK(mentions(refusal(at.file("group", "{}", 0664)), "mode 0664"));
    CHECK(mentions(refusal(at.file("all", "{}", 0646)), "chmod go-w"));
}

TEST_CASE("nasty 61: root refuses a file of somebody else") {
    if (!is_root()) return;
    const Directory at;
    const std::string path = at.file("foreign", "{}");
    REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
    CHECK(mentions(refusal(path), "belongs to uid 65534"));
}

TEST_CASE("nasty 61: root refuses a file below a directory that others can write, however far up") {
    if (!is_root()) return;
    const Directory at;
    at.directory("open", 0777);
    at.directory("open/inner");
    CHECK(mentions(refusal(at.file("open/inner/a", "{}")), at.path("open") + " is writable for others"));
}

TEST_CASE("nasty 61: root refuses a file below somebody else's directory") {
    if (!is_root()) return;
    const Directory at;
    const std::string directory = at.directory("theirs");
    const std::string path = at.file("theirs/a", "{}");
    REQUIRE(::chown(directory.c_str(), 65534, 65534) == 0);
    CHECK(mentions(refusal(path), directory + " belongs to uid 65534"));
}

TEST_CASE("a sticky directory of root is accepted above a file, one of somebody else is not") {
    if (!is_root()) return;
    const Directory at;
    const std::string directory = at.directory("sticky", 01777);
    const std::string path = at.file("sticky/a", "{}");
    CHECK(os::read_trusted_file(path, kLimit).ok());
    REQUIRE(::chown(directory.c_str(), 65534, 65534) == 0);
    CHECK(mentions(refusal(path), "belongs to uid 65534"));
}

TEST_CASE("what counts is where the file really lies, not the link that leads there") {
    if (!is_root()) return;
    const Directory at;
    at.directory("open", 0777);
    const std::string good = at.file("good", "{}");
    const std::string bad = at.file("open/bad", "{}");
    REQUIRE(::symlink(bad.c_str(), at.path("to-bad").c_str()) == 0);
    REQUIRE(::symlink(good.c_str(), at.path("to-good").c_str()) == 0);
    CHECK(os::read_trusted_file(at.path("to-good"), kLimit).ok());
    CHECK(mentions(refusal(at.path("to-bad")), at.path("open") + " is writable for others"));
}

TEST_CASE("an ordinary user may read what others can write") {
    if (!is_root()) return;
    const Directory at;
    REQUIRE(::chmod(at.path().c_str(), 0777) == 0);
    const std::string path = at.file("a", "{}", 0666);
    REQUIRE(::seteuid(65534) == 0);
    const bool read = os::read_trusted_file(path, kLimit).ok();
    REQUIRE(::seteuid(0) == 0);
    CHECK(read);
}

TEST_CASE("a pattern gives the paths that match it, relative to the directory") {
    const Directory at;
    at.directory("conf.d");
    const std::string a = at.file("conf.d/a.json", "");
    const std::string b = at.file("conf.d/b.json", "");
    at.file("conf.d/.hidden.json", "");
    at.file("conf.d/c.txt", "");
    auto paths = os::expand_paths(at.path(), "conf.d/*.json").value();
    std::sort(paths.begin(), paths.end());
    CHECK(paths == std::vector<std::string>{a, b});
    CHECK(os::expand_paths("/nowhere", at.path("conf.d/a*")).value() == std::vector<std::string>{a});
}

TEST_CASE("a pattern may match nothing, a plain path stands for itself") {
    const Directory at;
    CHECK(os::expand_paths(at.path(), "none.d/*.json").value().empty());
    CHECK(os::expand_paths(at.path(), "none.json").value() == std::vector<std::string>{at.path("none.json")});
    CHECK(os::expand_paths("/", "none.json").value() == std::vector<std::string>{"/none.json"});
}

TEST_CASE("a directory whose name looks like a pattern is taken as it is") {
    const Directory at;
    at.directory("[a]*");
    at.directory("a");
    const std::string path = at.file("[a]*/x.json", "");
    at.file("a/x.json", "");
    CHECK(os::expand_paths(at.path("[a]*"), "*.json").value() == std::vector<std::string>{path});
}

TEST_CASE("a directory that may not be read is an error and not an empty list") {
    if (!is_root()) return;
    const Directory at;
    REQUIRE(::chmod(at.path().c_str(), 0755) == 0);
    at.directory("closed", 0700);
    REQUIRE(::seteuid(65534) == 0);
    const auto paths = os::expand_paths(at.path(), "closed/*.json");
    REQUIRE(::seteuid(0) == 0);
    REQUIRE_FALSE(paths.ok());
    CHECK(mentions(paths.error().text(), "EACCES"));
}
