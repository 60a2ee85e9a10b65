// Writes every sample of every key as one JSON array of {"text", "accepted"}: a configuration and the
// parser's verdict.
#include <cstdio>

#include "config/config.hpp"
#include "json/writer.hpp"
#include "samples.hpp"

using namespace vigil;
using namespace vigil::config;

namespace {

class OneFile : public Files {
  public:
    explicit OneFile(const std::string& text) : text_(text) {}
    Result<std::string, Error> read(const std::string&) override { return text_; }
    Result<std::vector<std::string>, Error> expand(const std::string&, const std::string&) override {
        return std::vector<std::string>{};
    }

  private:
    const std::string& text_;
};

}  // namespace

int main() {
    std::string out;
    json::Writer writer(out, json::Style::pretty);
    writer.begin_array();
    for (const Key& key : keys()) {
        Samples samples = samples_of(key);
        samples.bad.push_back("null");
        for (const auto* values : {&samples.good, &samples.bad})
            for (const std::string& value : *values) {
                if (needs_company(key, value)) continue;
                const std::string text = configuration(key, value);
                OneFile files(text);
                writer.begin_object().member("text", text);
                writer.member("accepted", load(files, "vigil.json").ok()).end_object();
            }
    }
    writer.end_array();
    std::puts(out.c_str());
    return 0;
}
