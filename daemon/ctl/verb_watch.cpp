// status --watch: the table again and again, also across restarts of the daemon.
#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "ctl/display_width.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/session.hpp"
#include "ctl/status_text.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

using Clock = std::chrono::steady_clock;

constexpr core::Duration kEvery = std::chrono::seconds(1);

// DEC private modes of xterm: 1049 is the alternate screen, 25 the cursor.
constexpr std::string_view kEnterScreen = "\033[?1049h\033[?25l";
constexpr std::string_view kLeaveScreen = "\033[?25h\033[?1049l";
constexpr std::string_view kHome = "\033[H";
constexpr std::string_view kEraseToLineEnd = "\033[K";
constexpr std::string_view kEraseBelow = "\033[J";

/// The alternate screen for as long as it lives, so that the user's own screen is there again afterwards.
class Screen {
  public:
    explicit Screen(const Terminal& terminal) : terminal_(terminal) {
        if (terminal_.output_is_terminal()) (void)terminal_.print(kEnterScreen);
    }
    ~Screen() {
        if (terminal_.output_is_terminal()) (void)terminal_.print(kLeaveScreen);
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

  private:
    const Terminal& terminal_;
};

/// What one look at the daemon gave: a frame, or why there is none.
struct Look {
    std::string text{};
    bool fatal = false;  ///< trying again would not help
    int exit_code = exit_code::kDone;
};

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

/// Keeps its connection between looks, and opens a new one after a failure.
class Watcher {
  public:
    Watcher(const Options& options, const Terminal& terminal) : options_(options), terminal_(terminal) {}

    Look look() {
        if (!client_) {
            auto opened = connect(options_, terminal_);
            if (!opened) return failed(opened.error());
            client_.emplace(std::move(opened).value());
        }
        auto answer = client_->status({.names = options_.names,
                                       .spec = false,
                                       .details = false,
                                       .fields = options_.json ? protocol::StatusFields() : kTableFields},
                                      for_question(options_, terminal_));
        if (!answer) return failed(answer.error());
        if (options_.json) return {.text = std::string(*answer) + "\n"};
        StatusTable table;
        const auto taken = protocol::take_task_statuses(
            *answer, [&table](const protocol::TaskStatus& task) { table.add(task); });
        if (!taken) return failed(client_->misread(taken.error()));
        return {.text =
                    table.render({.colours = terminal_.colours(), .width = terminal_.output_size().columns})};
    }

  private:
    Look failed(const client::Fault& fault) {
        client_.reset();
        using Kind = client::Fault::Kind;
        if (fault.kind == Kind::interrupted) return {.fatal = true, .exit_code = terminal_.interrupt_code()};
        // A task that does not exist yet may come, and a daemon may come back.
        const bool fatal = fault.kind == Kind::denied || fault.kind == Kind::protocol;
        return {.text = fault.message, .fatal = fatal, .exit_code = exit_code_of(fault)};
    }

    const Options& options_;
    const Terminal& terminal_;
    std::optional<client::Client> client_;
};

/// A frame that fills the screen from its top and never scrolls it.
std::string on_screen(const std::string& text, Terminal::Size size) {
    std::string out(kHome);
    std::size_t row = 0;
    for (std::size_t at = 0; at < text.size(); ++row) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (size.rows > 1 && row + 1 == size.rows) {
            const auto left = std::count(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), '\n');
            out.append("... and ").append(std::to_string(left)).append(" more lines").append(kEraseToLineEnd);
            return out;
        }
        out.append(text, at, end - at).append(kEraseToLineEnd).append("\r\n");
        at = end + 1;
    }
    return out.append(kEraseBelow);
}

std::string heading(const std::string& note) {
    const protocol::Rfc3339 now(std::chrono::system_clock::now());
    return "vigilctl status  " + std::string(now.view()) + (note.empty() ? "" : "  " + note) + "\n\n";
}

/// False when nobody takes the output any more.
bool show(const Look& look, const std::string& last_good, bool good, const Options& options,
          const Terminal& terminal) {
    if (terminal.output_is_terminal() && !options.json) {
        const Terminal::Size size = terminal.output_size();
        std::string head = heading(good ? std::string() : first_line(look.text) + "; trying again");
        if (size.columns != 0) head = cut_to_width(first_line(head), size.columns) + "\n\n";
        return terminal.print(on_screen(head + last_good, size));
    }
    if (good) return terminal.print(options.json ? look.text : heading({}) + look.text + "\n");
    return true;
}

}  // namespace

int run_watch(const Options& options, const Terminal& terminal) {
    // First, so that from here on every signal that ends us lets the screen be restored.
    const int interrupts = terminal.interrupt_fd();
    Watcher watcher(options, terminal);
    std::string last_good;
    std::string last_trouble;
    Look look;
    {
        std::optional<Screen> screen;
        while (true) {
            look = watcher.look();
            if (look.fatal) break;
            const bool good = look.exit_code == exit_code::kDone;
            if (good) last_good = look.text;
            // Said once, not every second.
            if (!good && !terminal.output_is_terminal() && look.text != last_trouble)
                terminal.complain(look.text);
            last_trouble = good ? std::string() : look.text;
            if (!screen && !options.json) screen.emplace(terminal);
            if (!show(look, last_good, good, options, terminal)) return exit_code::kFailed;
            const client::Patience patience{.until = Clock::now() + kEvery, .interrupt_fd = interrupts};
            if (!client::pause(patience)) return terminal.interrupt_code();
        }
    }
    if (!look.text.empty()) terminal.complain(look.text);
    return look.exit_code;
}

}  // namespace vigil::ctl
