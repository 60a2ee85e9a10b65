// Layer daemon. How the files of a configuration looked when they were read, so that it can be told later,
// and cheaply, whether something else is on the disk by now.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <string>
#include <vector>

namespace vigil::daemon {

class ConfigTrace {
  public:
    /// Before a file is read: a change while it is read is one.
    void note_file(const std::string& path);
    /// What a pattern of `include` gave; see config::Files::expand.
    void note_pattern(const std::string& directory, const std::string& pattern,
                      std::vector<std::string> paths);

    /// A file that this daemon itself has put there or taken away is no difference.
    void note_written(const std::string& path);
    void note_removed(const std::string& path);

    /// Whether a file is gone, another one, or was written since (inode, size, time), or a pattern matches
    /// other files. Costs a stat(2) a file and a directory; a directory is read only after it was changed.
    [[nodiscard]] bool differs();

    /// Whether a pattern would read a file of this path.
    [[nodiscard]] bool includes(const std::string& path) const;

  private:
    struct Look {
        dev_t device = 0;
        ino_t inode = 0;
        off_t size = 0;
        timespec changed{};

        [[nodiscard]] static Look at(const std::string& path);
        friend bool operator==(const Look& a, const Look& b) noexcept {
            return a.device == b.device && a.inode == b.inode && a.size == b.size &&
                   a.changed.tv_sec == b.changed.tv_sec && a.changed.tv_nsec == b.changed.tv_nsec;
        }
    };
    struct File {
        std::string path;
        Look look;
    };
    struct Pattern {
        std::string directory;
        std::string pattern;
        std::string place;  ///< the directory in which files of it come and go; empty: not one alone
        Look look;
        std::vector<std::string> paths;  ///< sorted
    };
    [[nodiscard]] static bool same(Pattern& pattern);

    std::vector<File> files_;
    std::vector<Pattern> patterns_;
};

}  // namespace vigil::daemon
