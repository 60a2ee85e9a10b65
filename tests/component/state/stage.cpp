#include "component/state/stage.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace vigil::state::test {
namespace {

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// In memory where that is possible: some cases make thousands of files.
std::string make_directory() {
    std::string name = "/dev/shm/vigil-test-XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) return name;
    const char* base = std::getenv("TMPDIR");
    name = std::string(base != nullptr ? base : "/tmp") + "/vigil-test-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
}

}  // namespace

Stage::Stage() : directory_(make_directory()), descriptors_(open_descriptors()) {}

Stage::~Stage() {
    CHECK(open_descriptors() == descriptors_);
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

Opened Stage::open(const Identity& identity) const {
    auto opened = Table::open(path(), identity);
    INFO((opened ? std::string() : opened.error().text()));
    REQUIRE(opened);
    return std::move(opened).value();
}

void Stage::given(const std::vector<Record>& records) const {
    Opened opened = open();
    std::map<std::string, SlotId> slots;
    for (const Found& found : opened.found) slots.emplace(found.record.task.name, found.slot);
    for (const Record& record : records) {
        const auto [entry, fresh] = slots.emplace(record.task.name, SlotId{});
        if (fresh) {
            const auto slot = opened.table.allocate();
            REQUIRE(slot);
            entry->second = *slot;
        }
        opened.table.write(entry->second, record);
    }
}

std::string read_whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_whole(const std::string& path, std::string_view bytes) {
    ::unlink(path.c_str());
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    REQUIRE(file);
    REQUIRE(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

bool exists(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

RecordImage record_at(const std::string& bytes, std::uint32_t place) {
    RecordImage record{};
    REQUIRE(bytes.size() >= file_size(place + 1));
    std::memcpy(&record, bytes.data() + file_size(place), sizeof record);
    return record;
}

void put_record(std::string& bytes, std::uint32_t place, const RecordImage& record) {
    REQUIRE(bytes.size() >= file_size(place + 1));
    std::memcpy(bytes.data() + file_size(place), &record, sizeof record);
}

DraftImage draft_in(const std::string& bytes) {
    DraftImage draft{};
    REQUIRE(bytes.size() >= kDraftAt + sizeof draft);
    std::memcpy(&draft, bytes.data() + kDraftAt, sizeof draft);
    return draft;
}

void put_draft(std::string& bytes, const DraftImage& draft) {
    REQUIRE(bytes.size() >= kDraftAt + sizeof draft);
    std::memcpy(bytes.data() + kDraftAt, &draft, sizeof draft);
}

std::string shortened(std::string bytes, std::uint32_t records) {
    const std::uint64_t capacity = pack_capacity(records);
    std::memcpy(bytes.data() + offsetof(HeaderImage, capacity), &capacity, sizeof capacity);
    bytes.resize(file_size(records));
    return bytes;
}

SharedWords::SharedWords() {
    void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    words_ = static_cast<std::uint64_t*>(page);
}

SharedWords::~SharedWords() {
    ::munmap(words_, 4096);
}

std::uint64_t SharedWords::get(std::size_t index) const noexcept {
    return std::atomic_ref(words_[index]).load();
}

void SharedWords::set(std::size_t index, std::uint64_t value) noexcept {
    std::atomic_ref(words_[index]).store(value);
}

pid_t fork_child(const std::function<void()>& work) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child > 0) return child;
    work();
    ::_exit(0);
}

void must(bool condition, const char* what) noexcept {
    if (condition) return;
    std::fprintf(stderr, "in a child: %s: %s\n", what, std::strerror(errno));
    ::_exit(1);
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) REQUIRE(errno == EINTR);
    return status;
}

}  // namespace vigil::state::test
