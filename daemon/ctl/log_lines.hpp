// vigilctl. Lines of logs as they are shown.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "logs/log_follower.hpp"
#include "protocol/task_logs.hpp"

namespace vigil::ctl {

/// Lines of one task stand alone; as soon as there are several tasks each begins with its task's name.
class LogLines {
  public:
    struct Style {
        bool json = false;
        bool colours = false;
    };
    explicit LogLines(Style style) : style_(style) {}

    /// A task whose lines may come. To be told of before any line is rendered, as far as it is known then.
    void expect(const std::string& task);

    /// One line with its newline: {"task","stream","text"}, or "api | text" with everything escaped that
    /// could disturb a terminal. A piece of a line beyond the limit ends with an ellipsis.
    void append(std::string& out, const protocol::LogPlace& place, const logs::LogItem& line) const;

  private:
    Style style_;
    std::set<std::string> tasks_;
    std::size_t width_ = 0;  ///< of the widest name, in columns
};

/// What to tell of an item that is no line, without the name of the program.
[[nodiscard]] std::string note_of(const protocol::LogPlace& place, const logs::LogItem& item);
/// "cannot read /var/log/vigil/api.log: Permission denied; ...".
[[nodiscard]] std::string unreadable(const protocol::LogPlace& place, const Error& error);
/// Where to look for output that goes to no file; empty for output that does.
[[nodiscard]] std::string elsewhere(const protocol::LogPlace& place);
/// The SGR sequence of a name: the same for ever.
[[nodiscard]] std::string_view name_colour(std::string_view task) noexcept;

}  // namespace vigil::ctl
