// The words by which the states are found, and what is ordered in them.

export const WORDS = {
  en: {
    userId: "User id",
    signIn: "Sign in",
    newOrder: "New order",
    description: "What is it for?",
    amount: "Amount",
    place: "Place order",
    topUpBy: "Top up by",
    missing: "You are",
    checking: "do not pay again",
    trouble: "The shop has trouble",
    asOf: "as of",
    happened: "What happened",
    cancel: "Cancel the order",
    moneyBack: "your money is back",
    noOrder: "There is no such order",
    topUp: "Top up",
    openLetter: /^Open /,
    body: "Body",
    redriveAll: /^Redrive all/,
    why: "Why?",
    mended: "the parser takes a trailing comma",
    dryRun: "Dry run",
    nothingChanged: "Nothing was changed",
    discardChosen: /^Discard 1/,
    neither: "Neither service knows it",
    kettle: "A kettle",
    cup: "A cup",
    samovar: "A samovar from Tula",
    long: "A tea service for twelve people, of porcelain, with a pattern of cobalt nets and a teapot that does not drip",
  },
  ru: {
    userId: "Номер пользователя",
    signIn: "Войти",
    newOrder: "Новый заказ",
    description: "Что заказываете?",
    amount: "Сумма",
    place: "Заказать",
    topUpBy: "Пополнить на",
    missing: "Не хватает",
    checking: "не платите ещё раз",
    trouble: "В магазине сейчас неполадки",
    asOf: "по состоянию на",
    happened: "Что произошло",
    cancel: "Отменить заказ",
    moneyBack: "деньги возвращены",
    noOrder: "Такого заказа нет",
    topUp: "Пополнить",
    openLetter: /^Открыть /,
    body: "Тело",
    redriveAll: /^Обработать заново все/,
    why: "Зачем?",
    mended: "разбор принимает запятую в конце",
    dryRun: "Проба",
    nothingChanged: "Ничего не изменилось",
    discardChosen: /^Отбросить выбранные/,
    neither: "Ни один из сервисов",
    kettle: "Чайник",
    cup: "Чашка",
    samovar: "Тульский самовар",
    long: "Чайный сервиз на двенадцать персон, фарфоровый, с рисунком «кобальтовая сетка» и чайником, который не капает",
  },
} as const;

type English = (typeof WORDS)["en"];

export type Words = {
  readonly [Name in keyof English]: English[Name] extends RegExp
    ? RegExp
    : string;
};
