"""The languages that settings and searches may name, by ISO 639-1 or ISO 639-3 code."""

_PAIRS = (
    "af afr  ak aka  am amh  ar ara  az aze  be bel  bn ben  bg bul  ca cat  cs ces  da dan "
    "de deu  el ell  en eng  eo epo  et est  fi fin  fr fra  gu guj  he heb  hi hin  hr hrv "
    "hu hun  hy hye  id ind  it ita  jv jav  ja jpn  kn kan  ka kat  km khm  ko kor  la lat "
    "lv lav  lt lit  ml mal  mr mar  mk mkd  my mya  ne nep  nl nld  nb nob  or ori  pa pan "
    "fa pes  pl pol  pt por  ro ron  ru rus  si sin  sk slk  sl slv  sn sna  es spa  sr srp "
    "sv swe  ta tam  te tel  tl tgl  th tha  tk tuk  tr tur  uk ukr  ur urd  uz uzb  vi vie "
    "yi yid  zh zho  zu zul "
)
_CODES = _PAIRS.split()
# A code of two or three letters -> the code of three letters by which the node knows the language.
LOCALES = {**dict(zip(_CODES[::2], _CODES[1::2], strict=True)), **{c: c for c in _CODES[1::2]}, "cmn": "cmn"}
