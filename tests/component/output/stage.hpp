// What the component tests of the output layer share: a collector, tasks that are no more than a pipe, and a
// checker for numbered lines.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "output/collector.hpp"

namespace vigil::output::test {

using namespace std::chrono_literals;

[[nodiscard]] bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = 20s);
[[nodiscard]] std::size_t open_descriptors();
/// Always 0 under ThreadSanitizer, which starts a thread of its own when it likes.
[[nodiscard]] std::size_t threads();
/// Empty where there is none.
[[nodiscard]] std::string read_whole(const std::string& path);
void write_whole(const std::string& path, const std::string& text);
[[nodiscard]] bool exists(const std::string& path);
/// The numbered files of a log, oldest first, then the present one; compressed ones are unpacked.
[[nodiscard]] std::string read_log(const std::string& path);
[[nodiscard]] std::vector<std::string> parts_of(const std::string& path);

/// Lines "00000000 ....\n" with growing numbers; each has its own length.
[[nodiscard]] std::string numbered_lines(std::size_t first, std::size_t count);

class TempDir {
  public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

/// A small file system of its own on a directory; says aloud where that is not permitted.
class SmallDisk {
  public:
    SmallDisk(std::string at, const std::string& size);
    ~SmallDisk();
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    [[nodiscard]] bool mounted() const noexcept { return mounted_; }
    [[nodiscard]] bool remount_read_only(bool read_only) const;

  private:
    std::string at_;
    bool mounted_;
};

/// A task's side of its pipe.
struct Task {
    core::TaskId id{};
    core::Generation generation{};
    std::shared_ptr<core::TaskSpec> spec;
    UniqueFd out;

    /// All of it; waits while the pipe is full, but not for ever.
    void print(const std::string& text);
    [[nodiscard]] std::size_t waiting() const;
};

/// At its end: no descriptor and no thread more than at its start.
class Stage {
  public:
    explicit Stage(const std::function<void(CollectorOptions&)>& adjust = {});
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    /// A task of that name whose log is NAME.log in the directory.
    [[nodiscard]] Task start(const std::string& name,
                             const std::function<void(core::TaskSpec&)>& adjust = {});
    /// The next run of the same task.
    void start_again(Task& task);
    void attach(Task& task, int read_end);
    /// Closes the task's end, finishes its run, and waits for its last words.
    std::vector<std::string> end(Task& task);
    [[nodiscard]] LastWords last_words_of(const Task& task);
    [[nodiscard]] Tally tally(const Task& task) const { return collector->tally(task.id); }
    [[nodiscard]] std::string path(const std::string& name) const { return directory / (name + ".log"); }
    /// Waits until all that was printed so far is accounted for.
    [[nodiscard]] bool settled(const Task& task, std::uint64_t printed);
    [[nodiscard]] std::vector<std::string> said(bool fault);

  private:
    std::size_t descriptors_;
    std::size_t threads_;

  public:
    TempDir directory;
    std::unique_ptr<Collector> collector;

  private:
    News news_;
    std::uint32_t last_id_ = 0;
};

}  // namespace vigil::output::test
