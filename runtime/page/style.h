/* What every page carries: its style sheet and its script. */
#ifndef ACT_PAGE_STYLE_H
#define ACT_PAGE_STYLE_H

enum { ACT_PAGE_HUES = 8 /* series that differ in hue and dashes */, ACT_PAGE_SHADES = 10 /* of one hue, for what has an order */ };

extern const char act_page_style[], act_page_script[];

#endif
