#include "json/parse.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "json/scanner.hpp"
#include "json/syntax_message.hpp"

namespace vigil::json {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
/// A tree is destroyed by recursion; this bounds it whatever a caller asks for.
constexpr std::size_t kDeepest = 512;
/// Enough to mend a file by; a hostile one gets no more memory out of us.
constexpr std::size_t kMaxProblems = 1000;

std::string place_text(const Place& place) {
    return "line " + std::to_string(place.line) + ", column " + std::to_string(place.column);
}

/// Takes the events of the library (its SAX interface: the names are its own; false ends the reading), keeps
/// the scanner in step with them and builds the tree.
class TreeBuilder {
  public:
    using Exception = nlohmann::detail::exception;

    TreeBuilder(std::string_view text, std::size_t base, const Limits& limits)
        : scanner_(text, base), end_(text.size()), limits_(limits) {}

    bool null() { return scalar(Value()); }
    bool boolean(bool value) { return scalar(Value(value)); }
    bool number_integer(std::int64_t value) { return scalar(Value(value)); }
    bool number_unsigned(std::uint64_t value) { return scalar(Value(value)); }
    bool number_float(double value, const std::string& token) {
        // The library falls back to a double, silently, where an integer does not fit.
        const bool integer = token.find_first_of(".eE") == std::string::npos;
        const bool taken = scalar(Value(value));
        if (taken && integer) report(last_place_, shortened(token) + " does not fit into 64 bits");
        return taken;
    }
    bool string(std::string& value) { return scalar(Value(std::move(value))); }
    /// No JSON text gives this event.
    bool binary(std::vector<std::uint8_t>&) { return false; }

    bool key(std::string& name) {
        const Place place = next_token();
        open_.back()->as_object()->push_back(Member{std::move(name), place, Value()});
        return true;
    }
    bool start_object(std::size_t) { return open(Value(Object())); }
    bool start_array(std::size_t) { return open(Value(Array())); }
    bool end_array() { return close(); }
    bool end_object() {
        drop_duplicates(*open_.back()->as_object());
        return close();
    }

    bool parse_error(std::size_t position, const std::string& token, const Exception& error) {
        const std::size_t last_read = position == 0 ? 0 : position - 1;
        scanner_.skip_between(last_read);
        if (error.id == 406) {
            report(scanner_.place(), shortened(token) + " is beyond the range of a number");
            return false;
        }
        SyntaxFault fault{error.what(), scanner_.rest(), scanner_.separator(), {}, 0};
        if (!open_.empty()) {
            fault.open = open_.back()->place;
            fault.open_bracket = open_.back()->as_object() != nullptr ? '{' : '[';
        }
        std::string message = syntax_message(fault);
        // A fault inside a string is shown where it is, what has no end where it begins.
        const std::string_view reason = library_reason(error.what());
        if (reason.starts_with("invalid string") && !reason.starts_with(kUnclosedString))
            scanner_.move_to(last_read);
        const bool comment = reason.starts_with(kUnclosedComment);
        report(comment ? scanner_.comment() : scanner_.place(), std::move(message));
        return false;
    }

    /// After the last event: the library takes a NUL for the end of its input, so what follows it was never
    /// seen.
    void expect_end() {
        scanner_.skip_between(end_);
        cut_ = !scanner_.rest().empty();
        if (cut_) report(scanner_.place(), "the text holds U+0000");
    }

    /// `to_the_end`: every event was taken.
    [[nodiscard]] Reading finish(bool to_the_end) && {
        std::stable_sort(problems_.begin(), problems_.end(),
                         [](const Problem& a, const Problem& b) { return a.place.offset < b.place.offset; });
        Reading reading{.root = std::nullopt, .problems = std::move(problems_)};
        if (to_the_end && !cut_)
            reading.root = std::move(root_);
        else
            reading.beginning = whole_members();
        return reading;
    }

  private:
    /// The last member may be open still, or have a key and no value yet.
    std::optional<Value> whole_members() {
        Object* members = root_.as_object();
        if (members == nullptr) return std::nullopt;
        const bool cut =
            open_.size() > 1 || (!members->empty() && members->back().value.type() == Type::null);
        if (cut) members->pop_back();
        return std::move(root_);
    }

    static std::string shortened(const std::string& token) {
        return token.size() <= 32 ? token : token.substr(0, 29) + "...";
    }

    Place next_token() {
        scanner_.skip_between(end_);
        last_place_ = scanner_.place();
        scanner_.skip_token();
        return last_place_;
    }

    void report(const Place& place, std::string message) {
        if (problems_.size() < kMaxProblems) problems_.push_back({place, std::move(message)});
    }

    /// Puts a value where the text has it; null when that is one value too many.
    Value* add(Value value) {
        value.place = next_token();
        if (++values_ > limits_.max_values) {
            report(value.place, "more than " + std::to_string(limits_.max_values) + " values in one text");
            return nullptr;
        }
        if (open_.empty()) return &(root_ = std::move(value));
        if (Array* elements = open_.back()->as_array()) return &elements->emplace_back(std::move(value));
        return &(open_.back()->as_object()->back().value = std::move(value));
    }

    bool scalar(Value value) { return add(std::move(value)) != nullptr; }

    bool open(Value container) {
        // The parent does not grow while its child is open, so the pointer stays good.
        Value* added = add(std::move(container));
        if (added == nullptr) return false;
        open_.push_back(added);
        if (open_.size() <= std::min(limits_.max_depth, kDeepest)) return true;
        report(added->place, "more than " + std::to_string(std::min(limits_.max_depth, kDeepest)) +
                                 " brackets inside each other");
        return false;
    }

    bool close() {
        next_token();
        open_.pop_back();
        return true;
    }

    void drop_duplicates(Object& members) {
        if (members.size() < 2) return;
        std::vector<const Member*> sorted;
        sorted.reserve(members.size());
        for (const Member& member : members) sorted.push_back(&member);
        std::stable_sort(sorted.begin(), sorted.end(),
                         [](const Member* a, const Member* b) { return a->key < b->key; });
        const Member* first = sorted.front();
        std::vector<std::uint32_t> dropped;
        for (std::size_t i = 1; i < sorted.size(); ++i) {
            if (sorted[i]->key != first->key) {
                first = sorted[i];
                continue;
            }
            dropped.push_back(sorted[i]->place.offset);
            report(sorted[i]->place, "\"" + escape_for_display(shortened(first->key)) +
                                         "\" is written twice in this object; the first is at " +
                                         place_text(first->place));
        }
        if (dropped.empty()) return;
        std::sort(dropped.begin(), dropped.end());
        std::erase_if(members, [&](const Member& member) {
            return std::binary_search(dropped.begin(), dropped.end(), member.place.offset);
        });
    }

    Scanner scanner_;
    std::size_t end_;
    const Limits& limits_;
    Value root_;
    std::vector<Value*> open_;  // the path of open brackets, outermost first
    std::size_t values_ = 0;
    Place last_place_;
    bool cut_ = false;
    std::vector<Problem> problems_;
};

}  // namespace

Reading read_leniently(std::string_view text, const Limits& limits) {
    // Places are 32 bits wide.
    const std::size_t max_bytes =
        std::min<std::size_t>(limits.max_bytes, std::numeric_limits<std::uint32_t>::max());
    if (text.size() > max_bytes)
        return {std::nullopt,
                {{Place{}, "the text has " + std::to_string(text.size()) + " bytes; the limit is " +
                               std::to_string(max_bytes)}}};
    const std::size_t base = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    const std::string_view body = text.substr(base);
    // The library would skip a second mark in silence.
    if (base != 0 && body.starts_with(kByteOrderMark))
        return {std::nullopt, {{Place{1, 1, 3}, "a second byte order mark"}}};
    TreeBuilder builder(body, base, limits);
    const bool to_the_end =
        nlohmann::json::sax_parse(body.begin(), body.end(), &builder, nlohmann::json::input_format_t::json,
                                  /*strict=*/true, limits.allow_comments);
    if (to_the_end) builder.expect_end();
    return std::move(builder).finish(to_the_end);
}

Result<Document, std::vector<Problem>> parse(std::string_view text, const Limits& limits) {
    Reading reading = read_leniently(text, limits);
    if (!reading.problems.empty()) return Failure{std::move(reading.problems)};
    return Document{std::move(*reading.root)};
}

}  // namespace vigil::json
