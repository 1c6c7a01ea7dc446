//! OCIL 2.0: what a person is asked where no machine checks. Only the form that the Compliance Operator reads: one yes or
//! no question per rule.

use crate::oval::Generator;
use crate::xml::{Node, NodeExt, ReadError, XmlWriter};

/// An `ocil` document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ocil {
    /// When it was made; OCIL's generator has no more that is needed here.
    pub timestamp: String,
    /// The questionnaires.
    pub questionnaires: Vec<Questionnaire>,
}

/// A questionnaire of one yes or no question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Questionnaire {
    /// What all its ids begin with, such as `ocil:ssg-hco-ksm`.
    pub id_stem: String,
    /// Its title.
    pub title: String,
    /// The question. The operator drops the last line of it.
    pub question: String,
}

impl Questionnaire {
    /// Id of the questionnaire; the operator finds the question from it by its ending.
    pub fn id(&self) -> String {
        format!("{}_ocil:questionnaire:1", self.id_stem)
    }

    fn action_id(&self) -> String {
        format!("{}_action:testaction:1", self.id_stem)
    }

    fn question_id(&self) -> String {
        format!("{}_question:question:1", self.id_stem)
    }
}

impl Ocil {
    /// Reads an `ocil` element; questionnaires of another form are left out.
    ///
    /// # Errors
    /// [`ReadError::MissingAttribute`] for a questionnaire without id.
    pub fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let texts: Vec<_> = node
            .descendants()
            .filter(|n| n.tag_name().name() == "boolean_question")
            .filter_map(|n| Some((n.attribute("id")?, n.child("question_text")?.full_text())))
            .collect();
        let mut questionnaires = Vec::new();
        for questionnaire in node.child("questionnaires").iter().flat_map(|q| q.named("questionnaire")) {
            let Some(stem) = questionnaire.required("id")?.strip_suffix("_ocil:questionnaire:1") else {
                continue;
            };
            let wanted = format!("{stem}_question:question:1");
            if let Some((_, text)) = texts.iter().find(|(id, _)| *id == wanted) {
                questionnaires.push(Questionnaire {
                    id_stem: stem.to_owned(),
                    title: questionnaire.child("title").map(|t| t.full_text()).unwrap_or_default(),
                    question: text.clone(),
                });
            }
        }
        let timestamp = node.child("generator").map(|g| Generator::read(g).timestamp).unwrap_or_default();
        Ok(Self { timestamp, questionnaires })
    }

    /// Writes `<ocil:ocil>`.
    pub fn write(&self, w: &mut XmlWriter) {
        w.element("ocil:ocil", &[], |w| {
            w.element("ocil:generator", &[], |w| {
                w.text_element("ocil:schema_version", &[], "2.0");
                w.text_element("ocil:timestamp", &[], &self.timestamp);
            });
            w.element("ocil:questionnaires", &[], |w| {
                for q in &self.questionnaires {
                    w.element("ocil:questionnaire", &[("id", &q.id())], |w| {
                        w.text_element("ocil:title", &[], &q.title);
                        w.element("ocil:actions", &[], |w| {
                            w.text_element("ocil:test_action_ref", &[], &q.action_id());
                        });
                    });
                }
            });
            w.element("ocil:test_actions", &[], |w| {
                for q in &self.questionnaires {
                    let attributes = [("id", q.action_id()), ("question_ref", q.question_id())];
                    let attributes: Vec<_> = attributes.iter().map(|(k, v)| (*k, v.as_str())).collect();
                    w.element("ocil:boolean_question_test_action", &attributes, |w| {
                        for (when, result) in [("ocil:when_true", "PASS"), ("ocil:when_false", "FAIL")] {
                            w.element(when, &[], |w| w.text_element("ocil:result", &[], result));
                        }
                    });
                }
            });
            w.element("ocil:questions", &[], |w| {
                for q in &self.questionnaires {
                    w.element("ocil:boolean_question", &[("id", &q.question_id())], |w| {
                        w.text_element("ocil:question_text", &[], &q.question);
                    });
                }
            });
        });
    }
}
