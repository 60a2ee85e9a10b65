#include "stage.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "logs/log_name.hpp"

namespace vigil::output::test {
namespace {

namespace fs = std::filesystem;

std::size_t entries(const char* directory) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {}));
}

std::string unpacked(const std::string& packed) {
    const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
    std::string out(size == ZSTD_CONTENTSIZE_UNKNOWN ? std::size_t{64} << 20U : size, '\0');
    const std::size_t got = ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
    REQUIRE(ZSTD_isError(got) == 0U);
    out.resize(got);
    return out;
}

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return condition();
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

std::size_t open_descriptors() {
    return entries("/proc/self/fd");
}
std::size_t threads() {
#ifdef __SANITIZE_THREAD__
    return 0;
#else
    return entries("/proc/self/task");
#endif
}

std::string read_whole(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_whole(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

std::vector<std::string> parts_of(const std::string& path) {
    std::vector<std::string> paths;
    const auto parts = logs::list_parts(path);
    for (const logs::Part& part : parts.value()) paths.push_back(part.path);
    return paths;
}

std::string read_log(const std::string& path) {
    std::string all;
    for (const std::string& part : parts_of(path))
        all += part.ends_with(".zst") ? unpacked(read_whole(part)) : read_whole(part);
    return all + read_whole(path);
}

std::string numbered_lines(std::size_t first, std::size_t count) {
    std::string text;
    for (std::size_t i = first; i < first + count; ++i) {
        char number[24];
        std::snprintf(number, sizeof number, "%08zu ", i);
        text += number;
        text.append(i * 7 % 113, static_cast<char>('a' + i % 26));
        text += '\n';
    }
    return text;
}

TempDir::TempDir() {
    const char* parent = std::getenv("TMPDIR");
    path_ = std::string(parent != nullptr ? parent : "/tmp") + "/vigil-output-XXXXXX";
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
}

TempDir::~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

SmallDisk::SmallDisk(std::string at, const std::string& size) : at_(std::move(at)) {
    ::mkdir(at_.c_str(), 0755);
    mounted_ = ::mount("none", at_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
    if (!mounted_) MESSAGE("SKIPPED: no file system may be mounted here");
}

SmallDisk::~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
}

bool SmallDisk::remount_read_only(bool read_only) const {
    return ::mount("none", at_.c_str(), nullptr, read_only ? MS_REMOUNT | MS_RDONLY : MS_REMOUNT, nullptr) ==
           0;
}

void Task::print(const std::string& text) {
    std::size_t done = 0;
    const auto limit = std::chrono::steady_clock::now() + 30s;
    while (done < text.size()) {
        const ssize_t count = ::write(out.get(), text.data() + done, text.size() - done);
        if (count > 0) {
            done += static_cast<std::size_t>(count);
            continue;
        }
        REQUIRE(errno == EAGAIN);
        REQUIRE(std::chrono::steady_clock::now() < limit);
        pollfd writable{out.get(), POLLOUT, 0};
        ::poll(&writable, 1, 100);
    }
}

std::size_t Task::waiting() const {
    int bytes = 0;
    REQUIRE(::ioctl(out.get(), FIONREAD, &bytes) == 0);
    return static_cast<std::size_t>(bytes);
}

Stage::Stage(const std::function<void(CollectorOptions&)>& adjust)
    : descriptors_(open_descriptors()), threads_(threads()) {
    CollectorOptions options;
    options.retry_every = 20ms;
    // A busy disk is no fault here, unless a case says so.
    options.stall_limit = 60s;
    if (adjust) adjust(options);
    collector = std::move(Collector::create(std::move(options)).value());
}

Stage::~Stage() {
    collector.reset();
    CHECK(open_descriptors() == descriptors_);
    // The one that compresses is waited for by nobody; it ends by itself.
    CHECK(eventually([&] { return threads() == threads_; }));
}

Task Stage::start(const std::string& name, const std::function<void(core::TaskSpec&)>& adjust) {
    Task task;
    task.id = core::TaskId{++last_id_};
    task.spec = std::make_shared<core::TaskSpec>();
    task.spec->name = name;
    task.spec->launch.edit().output.path = path(name);
    if (adjust) adjust(*task.spec);
    start_again(task);
    return task;
}

void Stage::start_again(Task& task) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    task.out.reset(ends[1]);
    attach(task, ends[0]);
}

void Stage::attach(Task& task, int read_end) {
    task.generation = core::Generation{static_cast<std::uint64_t>(task.generation) + 1};
    Source source;
    source.task = task.id;
    source.generation = task.generation;
    source.spec = task.spec;
    source.pid = 4711;
    source.path = task.spec->launch->output.path;
    source.pipe.reset(read_end);
    REQUIRE(collector->attach(std::move(source)).ok());
}

std::vector<std::string> Stage::end(Task& task) {
    task.out.reset();
    collector->finish(task.id, task.generation);
    return last_words_of(task).lines;
}

LastWords Stage::last_words_of(const Task& task) {
    LastWords found;
    const bool came = eventually([&] {
        collector->take_news(news_);
        std::vector<LastWords>& all = news_.last_words;
        const auto mine = [&](const LastWords& words) {
            return words.task == task.id && words.generation == task.generation;
        };
        const auto at = std::find_if(all.begin(), all.end(), mine);
        if (at == all.end()) return false;
        found = std::move(*at);
        all.erase(at);
        return true;
    });
    CHECK(came);
    return found;
}

bool Stage::settled(const Task& task, std::uint64_t printed) {
    return eventually([&] { return tally(task).written + tally(task).dropped == printed; });
}

std::vector<std::string> Stage::said(bool fault) {
    collector->take_news(news_);
    std::vector<std::string> messages;
    for (const Message& message : news_.messages)
        if (message.fault == fault) messages.push_back(message.text);
    return messages;
}

}  // namespace vigil::output::test
