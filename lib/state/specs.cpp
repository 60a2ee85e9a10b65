#include "state/specs.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <unordered_set>
#include <utility>

#include "state/check.hpp"
#include "state/spec_line.hpp"

namespace vigil::state {
namespace {

Result<std::string> read_whole(int fd, std::uint64_t size) {
    std::string text(size, '\0');
    const auto read = read_from_start(fd, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    if (!read) return Failure{read.error()};
    text.resize(*read);
    return text;
}

/// 0 or an errno. One write(2) where the disk takes it in one.
int write_whole(int fd, std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t done = ::write(fd, text.data(), text.size());
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(done));
    }
    return 0;
}

/// The next line without its LF, taken from `rest`; the caller knows that there is one.
std::string_view take_line(std::string_view& rest) noexcept {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return line;
}

struct Content {
    std::string text;  ///< whole lines; without a fault the first is a head
    std::uint64_t next_id = 1;
    std::string fault;  ///< why it is no store; empty: it is one
};

Content read_content(const PrivateFile& file) {
    Content content;
    if (file.size > SpecStore::kMostBytes) {
        content.fault = "too large: " + std::to_string(file.size) + " bytes";
        return content;
    }
    auto text = read_whole(file.fd.get(), file.size);
    if (!text) {
        content.fault = text.error().text();
        return content;
    }
    content.text = std::move(text).value();
    content.text.resize(content.text.rfind('\n') + 1);  // npos + 1 is 0
    std::string_view rest = content.text;
    const auto next_id = rest.empty() ? std::nullopt : parse_spec_head(take_line(rest));
    if (next_id)
        content.next_id = *next_id;
    else
        content.fault = "no spec store of this version";
    return content;
}

}  // namespace

std::string check_specs(const std::string& path) {
    const auto file = open_private(path);
    if (!file) return file.error().text();
    std::string fault = file->fault;
    if (fault.empty()) fault = file->fd ? read_content(*file).fault : "there is none";
    return fault.empty() ? fault : "the spec store " + path + " cannot be taken over: " + fault;
}

SpecStore::SpecStore(std::string path, UniqueFd fd) noexcept : path_(std::move(path)), fd_(std::move(fd)) {}

Result<OpenedSpecs> SpecStore::open(const std::string& path) {
    auto file = open_private(path);
    if (!file) return Failure{file.error()};
    Content content;
    if (file->fd) content = read_content(*file);
    std::string fault = file->fd ? content.fault : file->fault;
    if (!file->fd || !fault.empty()) {
        std::optional<SetAside> aside;
        if (!fault.empty()) {
            auto moved = state::set_aside(path, std::move(fault));
            if (!moved) return Failure{moved.error()};
            aside = std::move(moved).value();
        }
        auto made = make(path, spec_head(1));
        if (!made) return Failure{made.error()};
        return OpenedSpecs{.store = std::move(made).value(), .specs = {}, .set_aside = std::move(aside)};
    }

    OpenedSpecs opened{.store = SpecStore(path, std::move(file->fd)), .specs = {}, .set_aside = {}};
    SpecStore& store = opened.store;
    store.next_id_ = std::max<std::uint64_t>(content.next_id, 1);
    store.size_ = content.text.size();
    opened.torn = store.size_ != file->size;
    const auto end = static_cast<off_t>(store.size_);
    if ((opened.torn && ::ftruncate(store.fd_.get(), end) != 0) ||
        ::lseek(store.fd_.get(), end, SEEK_SET) < 0)
        return Failure{errno_error("cutting the torn end off " + path)};

    std::unordered_set<std::uint64_t> seen;
    std::string_view rest = content.text;
    (void)take_line(rest);  // the head
    while (!rest.empty()) {
        ++store.lines_;
        auto spec = parse_spec_line(take_line(rest));
        if (!spec || !seen.insert(spec->id).second) {
            ++opened.damaged;
            continue;
        }
        store.next_id_ = std::max(store.next_id_, spec->id + 1);
        opened.specs.push_back(std::move(*spec));
    }
    return opened;
}

/// Under another name until it is whole, so that at `path` there always is a whole store.
Result<SpecStore> SpecStore::make(const std::string& path, std::string_view text) {
    const std::string unfinished = path + ".new";
    auto fd = make_private(unfinished);
    if (!fd) return Failure{fd.error()};
    int code = write_whole(fd->get(), text);
    if (code == 0 && ::rename(unfinished.c_str(), path.c_str()) != 0) code = errno;
    if (code != 0) {
        ::unlink(unfinished.c_str());
        return Failure{Error{"writing the spec store " + path, code}};
    }
    SpecStore store(path, std::move(fd).value());
    store.size_ = text.size();
    return store;
}

Result<std::uint64_t> SpecStore::append(std::string_view name, SpecOrigin origin, std::string_view json) {
    if (name.empty() || name.find_first_of("\t\n") != std::string_view::npos ||
        json.find('\n') != std::string_view::npos)
        return Failure{Error{"storing a spec that is no line", EINVAL}};
    const std::string line =
        spec_line({.id = next_id_, .name = std::string(name), .origin = origin, .json = std::string(json)});
    if (size_ + line.size() > kMostBytes) return Failure{Error{"adding to the spec store " + path_, EFBIG}};
    if (int code = write_whole(fd_.get(), line); code != 0) {
        // Half a line would spoil the next one.
        const auto end = static_cast<off_t>(size_);
        if (::ftruncate(fd_.get(), end) != 0 || ::lseek(fd_.get(), end, SEEK_SET) < 0) code = errno;
        return Failure{Error{"adding to the spec store " + path_, code}};
    }
    size_ += line.size();
    ++lines_;
    return next_id_++;
}

Result<void> SpecStore::compact(const std::vector<std::uint64_t>& live) {
    std::unordered_set<std::uint64_t> wanted(live.begin(), live.end());
    wanted.erase(0);
    if (wanted.size() >= lines_) return {};
    const auto text = read_whole(fd_.get(), size_);
    if (!text) return Failure{Error{"reading the spec store " + path_, text.error().code}};
    if (text->size() != size_) return Failure{Error{"the spec store " + path_ + " has become shorter", 0}};
    std::string text_kept = spec_head(next_id_);
    std::size_t lines_kept = 0;
    std::string_view rest = *text;
    (void)take_line(rest);  // the head
    while (!rest.empty()) {
        const std::string_view line = take_line(rest);
        const auto spec = parse_spec_line(line);
        // Once only, as an id may be there twice in a damaged file.
        if (!spec || wanted.erase(spec->id) == 0) continue;
        text_kept.append(line).append("\n");
        ++lines_kept;
    }
    auto made = make(path_, text_kept);
    if (!made) return Failure{made.error()};
    fd_ = std::move(made->fd_);
    size_ = made->size_;
    lines_ = lines_kept;
    return {};
}

void SpecStore::remove_file() noexcept {
    ::unlink(path_.c_str());
}

}  // namespace vigil::state
