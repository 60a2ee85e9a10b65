// A log as its writer leaves it, in a directory that lasts as long as the test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "logs/log_follower.hpp"
#include "logs/log_times.hpp"

namespace vigil::test {

class WrittenLog {
  public:
    WrittenLog();
    ~WrittenLog();
    WrittenLog(const WrittenLog&) = delete;
    WrittenLog& operator=(const WrittenLog&) = delete;

    [[nodiscard]] std::string path() const { return directory_ + "/api.log"; }
    [[nodiscard]] const std::string& directory() const { return directory_; }

    /// Appends to the present file, which is made where it is missing.
    void print(std::string_view bytes);
    /// Puts the present file aside; gives its number.
    std::uint64_t rotate();
    /// Replaces a part by its compressed form.
    void compress(std::uint64_t number);
    void remove(std::uint64_t number);
    void truncate();
    /// Appends to the time index that at this time the log had come as far as it has now.
    void mark(std::int64_t at);
    void put_file(const std::string& name, std::string_view bytes) const;
    /// Sets the time of the last write, in milliseconds since 1970.
    static void set_changed(const std::string& path, std::int64_t at);

  private:
    std::string directory_;
    UniqueFd fd_;
    std::uint64_t size_ = 0;
    std::uint64_t number_ = 1;  ///< the present file will get it
};

/// What a reader of the range sees, a line each; notes as "<gap 2>", "<truncated>", "<unreadable>"; a cut
/// line ends with "<cut>".
std::vector<std::string> read_back(const std::string& path, const Result<logs::Range>& range);
std::string shown(const logs::LogItem& item);

}  // namespace vigil::test
