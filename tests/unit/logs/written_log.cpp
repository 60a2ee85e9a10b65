#include "written_log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace vigil::test {
namespace {

// Used by threads beside the test's own, where doctest's REQUIRE is not safe.
void must(bool holds) {
    if (!holds) {
        std::perror("a log of the test");
        std::abort();
    }
}

}  // namespace

WrittenLog::WrittenLog() {
    char name[] = "/tmp/vigil-logs-XXXXXX";
    must(::mkdtemp(name) != nullptr);
    directory_ = name;
}

WrittenLog::~WrittenLog() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void WrittenLog::print(std::string_view bytes) {
    if (!fd_) fd_.reset(::open(path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    must(static_cast<bool>(fd_));
    must(::write(fd_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    size_ += bytes.size();
}

std::uint64_t WrittenLog::rotate() {
    must(::rename(path().c_str(), logs::part_path(path(), number_).c_str()) == 0);
    fd_.reset();
    size_ = 0;
    return number_++;
}

void WrittenLog::compress(std::uint64_t number) {
    const std::string plain = logs::part_path(path(), number);
    std::ifstream in(plain, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    std::string packed(::ZSTD_compressBound(text.size()), '\0');
    packed.resize(::ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1));
    const std::string unfinished = directory_ + "/unfinished";
    {
        std::ofstream out(unfinished, std::ios::binary);
        out << packed;
        must(static_cast<bool>(out.flush()));
    }
    must(::rename(unfinished.c_str(), logs::compressed_path(plain).c_str()) == 0);
    must(::unlink(plain.c_str()) == 0);
}

void WrittenLog::remove(std::uint64_t number) {
    const std::string plain = logs::part_path(path(), number);
    must(::unlink(plain.c_str()) == 0 || ::unlink(logs::compressed_path(plain).c_str()) == 0);
}

void WrittenLog::truncate() {
    must(::ftruncate(fd_.get(), 0) == 0);
    size_ = 0;
}

void WrittenLog::mark(std::int64_t at) {
    std::ofstream out(logs::times_path(path()), std::ios::binary | std::ios::app);
    out << logs::encode({.at = at, .number = number_, .offset = size_});
}

void WrittenLog::put_file(const std::string& name, std::string_view bytes) const {
    std::ofstream out(directory_ + "/" + name, std::ios::binary);
    out << bytes;
}

void WrittenLog::set_changed(const std::string& path, std::int64_t at) {
    const timespec time{.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1'000'000};
    const timespec times[2] = {time, time};
    must(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

std::string shown(const logs::LogItem& item) {
    using Kind = logs::LogItem::Kind;
    switch (item.kind) {
        case Kind::line: return item.text + (item.cut ? "<cut>" : "");
        case Kind::gap: return "<gap " + std::to_string(item.files) + ">";
        case Kind::truncated: return "<truncated>";
        case Kind::unreadable: return "<unreadable>";
    }
    return {};
}

std::vector<std::string> read_back(const std::string& path, const Result<logs::Range>& range) {
    std::vector<std::string> lines;
    if (!range) {
        FAIL(range.error().text());
        return lines;
    }
    logs::LogFollower log(path, range->begin, range->end);
    while (true) {
        const auto batch = log.poll({});
        for (const logs::LogItem& item : batch.items) lines.push_back(shown(item));
        if (!batch.more) break;
    }
    if (const auto rest = log.finish()) lines.push_back(shown(*rest));
    return lines;
}

}  // namespace vigil::test
