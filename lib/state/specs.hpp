// Layer state. The spec store: with what spec each run was started, beside the state table whose records name
// the specs by id. What a spec's text means is not known here.
//
// A file of lines, of which each is appended by one write(2): a kill in the middle leaves at most a torn last
// line, which the next open() cuts off. As with the table, nothing is done against a power cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "state/private_file.hpp"

namespace vigil::state {

/// Where a spec came from: the configuration, or a client while the daemon ran.
enum class SpecOrigin : std::uint8_t { config, added };

struct StoredSpec {
    std::uint64_t id = 0;  ///< never 0, never given twice
    std::string name;
    SpecOrigin origin = SpecOrigin::config;
    std::string json;  ///< one line

    friend bool operator==(const StoredSpec&, const StoredSpec&) = default;
};

struct OpenedSpecs;

class SpecStore {
  public:
    /// Opens or makes the file, and reads it whole. One that cannot be used (no store, another version, more
    /// than kMostBytes, no regular file of ours) is renamed to "<path>.bad" and a fresh one is made. Only for
    /// the holder of the instance lock.
    [[nodiscard]] static Result<OpenedSpecs> open(const std::string& path);

    /// Stores a spec and gives its id. EINVAL: a line break in the text, or a tab or line break in the name;
    /// EFBIG: kMostBytes would be exceeded. After any error, a full disk among them, the store is as before.
    [[nodiscard]] Result<std::uint64_t> append(std::string_view name, SpecOrigin origin,
                                               std::string_view json);

    /// Keeps the specs with these ids and no other, by a new file that takes the place of the old one at
    /// once. After an error the old one is still used. Does nothing where every line is kept.
    [[nodiscard]] Result<void> compact(const std::vector<std::uint64_t>& live);

    /// Unlinks the file, for an end that leaves nothing behind.
    void remove_file() noexcept;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Bytes in the file: what compact() could be worth.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 28U;

  private:
    SpecStore(std::string path, UniqueFd fd) noexcept;
    [[nodiscard]] static Result<SpecStore> make(const std::string& path, std::string_view text);

    std::string path_;
    UniqueFd fd_;  ///< its offset is at the end
    std::uint64_t size_ = 0;
    std::size_t lines_ = 0;  ///< without the head
    std::uint64_t next_id_ = 1;
};

struct OpenedSpecs {
    SpecStore store;
    std::vector<StoredSpec> specs;  ///< in the order in which they were stored
    std::size_t damaged = 0;        ///< lines that were skipped, an id that was there already among them
    bool torn = false;              ///< the last line was not whole and is gone
    std::optional<SetAside> set_aside;
};

}  // namespace vigil::state
